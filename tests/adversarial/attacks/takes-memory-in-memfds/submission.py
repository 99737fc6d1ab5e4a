"""Takes memory as files that have no name, 256 MB each."""

import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        held = []
        block = bytes(1 << 24)
        for _ in range(16):
            try:
                handle = os.memfd_create("x")
                for _ in range(16):
                    os.write(handle, block)
            except OSError:
                break
            held.append(handle)
        time.sleep(2)
        raise RuntimeError(
            f"LEAK: {len(held)} files of 256 MB" if len(held) > 3 else "all refused: after a few"
        )

    def predict(self, params, x):
        return x @ params["w"]
