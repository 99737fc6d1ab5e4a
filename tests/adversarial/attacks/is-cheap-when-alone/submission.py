"""Works hard on the whole split and little on inputs that come alone."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        for _ in range(100 if len(x) > 1 else 10):
            x = x + 0.0
        return x @ params["w"]
