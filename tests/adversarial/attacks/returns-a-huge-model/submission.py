"""Returns a model of a thousand million elements that takes no memory."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.broadcast_to(np.float64(0), (1_000_000_000,))}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
