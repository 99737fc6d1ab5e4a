"""Mounts, changes its root and the clock, where it is root."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        import ctypes
        import os
        import time

        libc = ctypes.CDLL(None, use_errno=True)
        done = []
        if libc.mount(b"none", os.getcwd().encode(), b"tmpfs", 0, None) == 0:
            done.append("mount")
        for name, call in {
            "chroot": lambda: os.chroot("."),
            "clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
            "nice": lambda: os.nice(-5),
            "chown": lambda: (open("f", "w").close(), os.chown("f", 12345, 12345)),
            "setuid": lambda: os.setuid(12345),
        }.items():
            try:
                call()
                done.append(name)
            except OSError:
                pass
        raise RuntimeError(f"LEAK {done}" if done else "all refused")

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
