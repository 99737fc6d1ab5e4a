"""Raises an error that cannot be printed."""

import numpy as np

import sparsebench as sb


class Ugly(Exception):
    def __str__(self):
        raise RuntimeError("no")


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        raise Ugly

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
