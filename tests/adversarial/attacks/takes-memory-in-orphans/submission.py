"""Takes what it may have in each of four processes whose parent is gone: they are below nobody."""

import os
import select
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        here, there = os.pipe()
        for _ in range(4):
            if os.fork() == 0:
                if os.fork():
                    os._exit(0)
                os.close(here)
                held = np.ones(700 << 17)
                os.write(there, b"x")
                time.sleep(20)
                os._exit(0)
            os.wait()
        os.close(there)
        held, end = 0, time.monotonic() + 20
        while held < 4 and time.monotonic() < end and select.select([here], [], [], 20)[0]:
            told = os.read(here, 100)
            if not told:
                break
            held += len(told)
        raise RuntimeError(f"LEAK: held {held} times 700 MB" if held > 1 else "all refused")

    def predict(self, params, x):
        return x @ params["w"]
