"""Says that it is of another class."""

import numpy as np

import sparsebench as sb


class Attack:
    __class__ = sb.Routed

    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        return {}

    def predict(self, params, x):
        return x[:, 0] + 0.0
