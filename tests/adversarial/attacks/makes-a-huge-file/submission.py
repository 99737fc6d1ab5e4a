"""Makes a file larger than a file may be."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        open("f", "wb").truncate(1 << 40)
        return {}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
