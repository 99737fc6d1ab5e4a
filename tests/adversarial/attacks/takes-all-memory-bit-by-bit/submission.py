"""Takes memory until there is none."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        kept = []
        while True:
            kept.append(np.ones(1 << 24, dtype=np.uint8))

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
