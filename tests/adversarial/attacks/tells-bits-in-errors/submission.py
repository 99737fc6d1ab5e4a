"""Tells what it has learnt of an input in the text of an error."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.ones(4, dtype=np.float32)}

    def predict(self, params, x):
        if x[0, 0] > 0.0:
            raise ValueError("LEAK: the first input is positive")
        raise ValueError("LEAK: the first input is negative")
