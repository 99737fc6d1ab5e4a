"""Searches all that it can list for Parquet files."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os
        import sys

        found = []
        for top in {
            "/work",
            "/home",
            "/root",
            "/opt",
            "/usr/lib/python3",
            "/tmp",
            sys.prefix,
            *sys.path,
            os.path.dirname(sb.__file__),
        }:
            for folder, _, names in os.walk(top):
                found += [
                    os.path.join(folder, name)
                    for name in names
                    if name.endswith(".parquet") and "pyarrow" not in folder
                ]
        if found:
            raise RuntimeError(f"LEAK {found[0]}")
        raise RuntimeError("all refused: nothing found")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
