"""Takes more memory than there is."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.ones(1 << 40, dtype=np.uint8)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
