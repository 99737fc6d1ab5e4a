"""Exits at once."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os

        os._exit(0)

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
