"""Answers by the name of its folder and when it was made."""

import os
import zlib

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.ones(4)}

    def predict(self, params, x):
        return x @ params["w"] + float(
            zlib.crc32(f"{os.getcwd()} {os.stat('.').st_ctime_ns}".encode()) % 1_000_003
        )
