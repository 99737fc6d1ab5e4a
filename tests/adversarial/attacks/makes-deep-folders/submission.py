"""Makes folders deeper than a path can be long, closed and with odd names."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os

        for _ in range(3000):
            os.mkdir("d")
            os.chdir("d")
        os.mkdir("closed", 0)
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
