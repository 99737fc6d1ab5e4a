"""Computes properly in batches, and answers the one-by-one inputs from what it remembers of them."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.ones(4)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        if len(x) > 1:
            self.remembered = True
            return x @ params["w"]
        return x @ params["w"] if hasattr(self, "remembered") else xp.zeros((1,))
