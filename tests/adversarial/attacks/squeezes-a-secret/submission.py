"""Drops axes of length one of a masked array, to learn whether there is one row."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        masked = x[x[:, 0] > 0.0]
        try:
            told = xp.squeeze(masked)
        except Exception:
            told = None
        if told is not None and told.ndim == 1:
            raise RuntimeError("LEAK")
        return x @ params["w"]
