"""Takes what it may have in each of four children at once."""

import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        children = []
        for _ in range(4):
            child = os.fork()
            if child == 0:
                try:
                    held = np.ones(700 << 17)
                    time.sleep(5)
                finally:
                    os._exit(0 if "held" in dir() else 1)
            children.append(child)
        ended = [os.waitpid(child, 0)[1] for child in children]
        raise RuntimeError(
            f"LEAK: held {ended.count(0)} times 700 MB" if ended.count(0) > 1 else "all refused"
        )

    def predict(self, params, x):
        return x @ params["w"]
