"""Sends signals (none that does harm, to see whether it could): to its parent, and to the leaders of its group and session."""

import os

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        done = []
        targets = {os.getppid(), os.getsid(0), os.getpgid(0)} - {0, os.getpid()}
        for pid in (*sorted(targets), *(-pid for pid in sorted(targets))):
            try:
                os.kill(pid, 0)
            except OSError:
                continue
            done.append(str(pid))
        raise RuntimeError(f"LEAK: {done}" if done else f"all refused: {len(targets)} processes")

    def predict(self, params, x):
        return x @ params["w"]
