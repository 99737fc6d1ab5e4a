"""Adds a constant of a guessed length to a masked array, to learn how many rows there are."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        masked = x[x[:, 0] > 0.0][:, 0]
        for guess in range(2, 40):
            try:
                masked + xp.zeros((guess,))
            except Exception as error:
                continue
            raise RuntimeError("LEAK")
        return x @ params["w"]
