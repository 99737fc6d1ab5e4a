"""Bisects each input to the last digit and computes in Python."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        total = []
        for row in range(len(x)):
            low, high = -8.0, 8.0
            for _ in range(16):
                for column in range(4):
                    middle = (low + high) / 2
                    if x[row, column] > middle:
                        low = middle
                    else:
                        high = middle
            bool(x[row, 0] > 0.0)
        return x @ params["w"]
