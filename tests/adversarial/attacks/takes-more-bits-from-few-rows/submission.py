"""Spends the allowance of a whole batch on its first row."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        for step in range(64 * len(x) + 1):
            bool(x[0, 0] > step / 100)
        return x @ params["w"]
