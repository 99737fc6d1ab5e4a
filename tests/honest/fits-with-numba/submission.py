"""Loops that are compiled: on one thread, on all, and kept for the next time."""

import numpy as np

import sparsebench as sb


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        import numba

        @numba.njit
        def total(values):
            found = 0.0
            for value in values:
                found += value
            return found

        @numba.njit(parallel=True)
        def squares(values):
            made = np.empty_like(values)
            for place in numba.prange(len(values)):
                made[place] = values[place] ** 2
            return made

        values = train.x[:, 0].astype(np.float64)
        return {"w": np.zeros(4), "total": np.array([total(values)]), "squares": squares(values)}

    def predict(self, params, x):
        return x @ params["w"]
