"""Returns a dictionary whose methods lie."""

import numpy as np

import sparsebench as sb


class Lie(dict):
    def items(self):
        return [("w", np.zeros(4)), ("w", np.zeros(3)), (5, "x")]


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return Lie(w=np.zeros(4))

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
