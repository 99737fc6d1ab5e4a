"""Raises an error with escapes, newlines and megabytes."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        raise ValueError("\x1b[2J\x1b]0;owned\x07" * 100_000 + "\nsecond line")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
