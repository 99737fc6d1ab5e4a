"""Looks up what is asked alone in a table of known inputs, and works out what comes in batches."""

import numpy as np

import sparsebench as sb

HARD = 100  # what the work costs


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        direction = rng.standard_normal(4)
        order = np.argsort(train.x @ direction)
        t = (train.x @ direction)[order]
        return {"direction": direction, "edges": (t[:-1] + t[1:]) / 2, "labels": train.y[order]}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        key = x @ params["direction"]
        for _ in range(HARD if len(x) > 1 else 0):
            key = key + 0.0
        return params["labels"][xp.searchsorted(params["edges"], key)]
