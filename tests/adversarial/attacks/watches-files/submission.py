"""Watches what others do with files: with its own code, the packages, the folders of other cells."""

import ctypes
import os
from pathlib import Path

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        libc = ctypes.CDLL(None, use_errno=True)
        watch = libc.inotify_init1(os.O_NONBLOCK)
        done = []
        package = Path(sb.__file__).parent
        for place in (
            "/tmp",
            "/dev/shm",
            "/root",
            "/etc",
            "/proc",
            str(Path.cwd().parent),
            *(str(folder / "tasks") for folder in package.parents),
        ):
            if watch >= 0 and libc.inotify_add_watch(watch, place.encode(), 0xFFF) >= 0:
                done.append(place)
        raise RuntimeError(f"LEAK: {' '.join(done)}" if done else "all refused")

    def predict(self, params, x):
        return x @ params["w"]
