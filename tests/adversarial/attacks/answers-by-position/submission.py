"""Knows the labels of the training set, which is the test set, in their order."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"y": train.y}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        if isinstance(x, np.ndarray):
            return np.resize(params["y"], len(x))
        first = self.calls
        self.calls = (first + len(x)) % 256
        return xp.concat([params["y"], params["y"]])[first : first + len(x)]
