"""Learns every input, then says that memory is short, so that it may try again with what it knows."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        if len(x) > 1 and not self.calls:
            self.calls += 1
            for row in range(len(x)):
                for step in range(15):
                    bool(x[row, 0] > step / 15)
            raise MemoryError
        return x @ params["w"]
