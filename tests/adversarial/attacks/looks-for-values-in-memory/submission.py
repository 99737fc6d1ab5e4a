"""Looks through all objects of its process for the test inputs."""

import gc

import numpy as np

import sparsebench as sb


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        self.calls = 0

    def fit(self, train, valid, rng):
        return {"w": np.zeros(4, dtype=np.float32)}

    def predict(self, params, x):
        xp = x.__array_namespace__()
        found = [o for o in gc.get_objects() if isinstance(o, np.ndarray) and o.ndim == 2 and o.shape[1] == 4]
        raise RuntimeError(f"LEAK {len(found)}" if found else "nothing found")
