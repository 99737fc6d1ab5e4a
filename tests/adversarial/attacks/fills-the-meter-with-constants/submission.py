"""Gives the meter one constant after the other and drops them at once."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        for number in range(30):
            xp.asarray(np.full(10_000_000, float(number)))
        return x @ params["w"]
