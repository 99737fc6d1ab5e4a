"""Fills a folder that nobody may look into."""

import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        written, block = 0, bytes(1 << 20)
        os.mkdir("a", 0o300)
        os.mkdir("a/b", 0o300)
        os.chdir("a/b")
        held = []
        try:
            for place in range(40):
                held.append(open(f"f{place}", "wb", buffering=0))
                for _ in range(100):
                    written += held[-1].write(block)
        except OSError as error:
            raise RuntimeError(f"all refused: {type(error).__name__}") from None
        time.sleep(3)
        raise RuntimeError(f"LEAK: {written >> 20} MB of files")

    def predict(self, params, x):
        return x @ params["w"]
