"""Returns an array whose methods lie."""

import numpy as np

import sparsebench as sb


class Lie(np.ndarray):
    dtype = np.dtype(np.float64)
    shape = (4,)
    nbytes = 0

    def __array__(self, *_, **__):
        return np.zeros(3)

    def tobytes(self, *_):
        return b""


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(7, dtype=np.int8).view(Lie)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
