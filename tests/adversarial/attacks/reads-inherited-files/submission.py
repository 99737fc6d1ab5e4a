"""Reads every file descriptor that it was started with."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import os

        found = []
        for descriptor in range(256):
            try:
                found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            except OSError:
                continue
        found = [
            name for name in found if not name.startswith(("pipe:", "/dev/null", "anon_inode", "/proc/"))
        ]
        raise RuntimeError(f"LEAK {found}" if found else "all refused: nothing there")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
