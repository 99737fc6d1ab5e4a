"""Sums one real number into an integer, for nothing."""

import numpy as np

import sparsebench as sb
from sparsebench import ops


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        k = xp.sum(x[:, :, None], axis=2, dtype=xp.int64)
        raise RuntimeError("LEAK")
