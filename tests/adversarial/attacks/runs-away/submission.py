"""Forks and ends, again and again, so that whoever kills it always comes too late."""

import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        if os.fork() == 0:
            end = time.monotonic() + 20
            os.closerange(0, 256)
            while time.monotonic() < end:
                try:
                    if os.fork():
                        os._exit(0)
                except OSError:
                    time.sleep(0.001)
            os._exit(0)
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        return x @ params["w"]
