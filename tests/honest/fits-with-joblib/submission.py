"""Both of joblib's ways: processes and threads."""

import warnings

import numpy as np

import sparsebench as sb


def square(number):
    return float(np.dot(np.full(1000, number), np.full(1000, number)))


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        from joblib import Parallel, delayed

        warnings.simplefilter("ignore")  # it says so where it works in one process
        made = {}
        for backend in ("loky", "threading"):
            made[backend] = np.array(
                Parallel(n_jobs=2, backend=backend)(delayed(square)(i) for i in range(8))
            )
        return {"w": np.zeros(4), **made}

    def predict(self, params, x):
        return x @ params["w"]
