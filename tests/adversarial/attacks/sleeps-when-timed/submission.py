"""Sleeps when it is timed."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        if isinstance(x, np.ndarray):
            import time

            time.sleep(3600)
        return x @ params["w"]
