"""Broadcasts a number to more elements than fit into memory, for something that has to copy them."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        wide = xp.broadcast_to(xp.asarray(1.0), (100_000, 100_000))
        return (x @ params["w"]) + (wide @ wide)[0, 0]
