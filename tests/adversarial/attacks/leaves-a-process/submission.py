"""Leaves a process behind in its process group."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os
        import time

        if os.fork() == 0:
            time.sleep(3600)
            os._exit(0)
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
