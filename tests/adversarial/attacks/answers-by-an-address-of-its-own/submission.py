"""Answers by where an object of its own lies in memory."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.ones(4)}

    def predict(self, params, x):
        return x @ params["w"] + float(id(self) // 16 % 1_000_003)
