"""Asks for rows that may not be there, to learn from the exception whether they are."""

import numpy as np

import sparsebench as sb
from sparsebench import ops


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        index = ops.quantize(x[:, 0] * 1e6, levels=1024)
        try:
            ops.gather(index, params["w"])
        except Exception as error:
            raise RuntimeError("LEAK") from error
        return x @ params["w"]
