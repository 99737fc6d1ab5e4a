"""Sends its parent a signal (none that does harm, to see whether it could)."""

import sparsebench as sb
import numpy as np


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os

        os.kill(os.getppid(), 0)
        raise RuntimeError("LEAK")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
