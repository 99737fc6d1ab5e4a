"""Answers with no numbers."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        y = x @ params["w"]
        return y / y
