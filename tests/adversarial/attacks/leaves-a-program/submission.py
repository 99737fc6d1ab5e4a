"""Leaves another program running: what a start of a program undoes would be undone."""

import os

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        if os.fork() == 0:
            if os.fork():
                os._exit(0)
            os.closerange(0, 256)
            try:
                os.setsid()
            except OSError:
                pass
            os.execv("/bin/sleep", ["sleep", "120"])
        os.wait()
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        return x @ params["w"]
