"""Sums over more elements than can be gone through."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"] + xp.sum(xp.broadcast_to(xp.asarray(1.0), (1_000_000, 1_000_000)))
