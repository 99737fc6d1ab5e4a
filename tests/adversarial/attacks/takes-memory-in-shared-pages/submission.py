"""Takes memory as pages that its children share with it."""

import mmap
import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        ready = []
        for _ in range(4):
            if os.fork() == 0:
                try:
                    pages = mmap.mmap(-1, 700 << 20)
                    for place in range(0, 700 << 20, 4096):
                        pages[place] = 1
                    time.sleep(5)
                except (OSError, MemoryError):
                    os._exit(1)
                os._exit(0)
        for _ in range(4):
            ready.append(os.wait()[1])
        raise RuntimeError(
            f"LEAK: held {ready.count(0)} times 700 MB" if ready.count(0) > 1 else "all refused"
        )

    def predict(self, params, x):
        return x @ params["w"]
