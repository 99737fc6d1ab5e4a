"""Draws from NumPy's global state, which it does not seed."""

import numpy as np

import sparsebench as sb

DRAWN = np.random.random()


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.ones(4)}

    def predict(self, params, x):
        return x @ params["w"] + 1000.0 * DRAWN
