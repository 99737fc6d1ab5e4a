"""Looks for the folders of other cells."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import glob
        import os

        found = [
            name
            for name in glob.glob("/tmp/sparsebench-*/*")
            if not os.getcwd().startswith(os.path.dirname(name))
        ]
        found += os.listdir("/tmp") if os.access("/tmp", os.R_OK) and False else []
        try:
            found += os.listdir("/tmp")
        except PermissionError:
            pass
        raise RuntimeError(f"LEAK {found}" if found else "all refused")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
