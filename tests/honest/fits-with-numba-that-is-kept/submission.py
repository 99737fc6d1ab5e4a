"""Loops that are compiled and kept in a file: not beside the code, which cannot be written to."""

import numba
import numpy as np

import sparsebench as sb


@numba.njit(cache=True)
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4), "total": np.array([total(train.x[:, 0].astype(np.float64))])}

    def predict(self, params, x):
        return x @ params["w"]
