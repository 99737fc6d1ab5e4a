"""Returns a model of very many arrays."""

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {f"a-{number}": np.zeros(0) for number in range(100_000)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        return x @ params["w"]
