"""Fills a folder whose path is longer than a path can be."""

import os
import time

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        written, block = 0, bytes(1 << 20)
        try:
            for _ in range(100):
                os.mkdir("d" * 100)
                os.chdir("d" * 100)
            for place in range(40):
                with open(f"f{place}", "wb", buffering=0) as stream:
                    for _ in range(100):
                        written += stream.write(block)
        except OSError as error:
            raise RuntimeError(f"all refused: {type(error).__name__}") from None
        time.sleep(3)
        raise RuntimeError(f"LEAK: {written >> 20} MB of files")

    def predict(self, params, x):
        return x @ params["w"]
