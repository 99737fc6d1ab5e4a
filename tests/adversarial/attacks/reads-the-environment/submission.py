"""Looks for secrets in its environment."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os

        if (
            any("SECRET" in name for name in os.environ)
            or b"SECRET" in open("/proc/self/environ", "rb").read()
        ):
            raise RuntimeError("LEAK")
        raise RuntimeError("all refused: nothing there")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
