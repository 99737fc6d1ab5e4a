"""Forks four hundred times: a bomb that ends."""

import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        made, end = 0, time.monotonic() + 20
        for _ in range(400):
            try:
                if os.fork() == 0:
                    while time.monotonic() < end:
                        time.sleep(0.5)
                    os._exit(0)
            except OSError:
                break
            made += 1
        raise RuntimeError(f"LEAK: {made} processes" if made > 100 else "all refused: after a few")

    def predict(self, params, x):
        return x @ params["w"]
