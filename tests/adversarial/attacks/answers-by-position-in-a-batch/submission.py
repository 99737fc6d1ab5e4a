"""Gives every batch the first labels of the training set."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"y": train.y}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return params["y"][: len(x)] + 0.0
