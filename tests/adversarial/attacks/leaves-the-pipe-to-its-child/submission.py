"""Forks and ends, so that its child keeps the pipe open."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os
        import time

        if os.fork():
            os._exit(0)
        time.sleep(3600)

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
