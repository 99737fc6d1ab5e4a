"""Leaves a process that is its parent's child, not its own."""

import ctypes
import os
import platform
import signal
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)
        clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
        made = libc.syscall(clone, 0x8000 | signal.SIGCHLD, 0, 0, 0, 0)  # CLONE_PARENT
        if made == 0:
            os.closerange(0, 256)
            time.sleep(120)
            os._exit(0)
        return {"w": np.zeros(4)}

    def predict(self, params, x):
        return x @ params["w"]
