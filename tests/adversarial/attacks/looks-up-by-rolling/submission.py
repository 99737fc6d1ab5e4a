"""Rolls a table by a computed shift, for nothing, instead of looking up."""

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
        k = ops.quantize(x[0, 0], levels=4)
        raise RuntimeError(f"LEAK {xp.roll(params['w'], k)}")
