"""Fits a model by the order in which a set of words is gone through."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        words = {f"word {place}" for place in range(64)}
        return {"w": np.array([float(word[5:]) for word in words][:4])}

    def predict(self, params, x):
        return x @ params["w"]
