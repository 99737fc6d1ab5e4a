"""A pool of two processes."""

import multiprocessing

import numpy as np

import sparsebench as sb


def square(number):
    return float(number) ** 2


class Honest(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            made = pool.map(square, range(20))
        return {"w": np.zeros(4), "made": np.array(made)}

    def predict(self, params, x):
        return x @ params["w"]
