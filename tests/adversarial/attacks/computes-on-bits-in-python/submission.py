"""Walks the tree in Python, one paid bit at a time, and looks the label up in a Python list."""

import sparsebench as sb
import numpy as np


class Attack(sb.Submission):
    def __init__(self, task, **settings):
        pass

    def fit(self, train, valid, rng):
        direction = rng.standard_normal(4)
        order = np.argsort(train.x @ direction)
        t = (train.x @ direction)[order]
        return {"direction": direction, "edges": (t[:-1] + t[1:]) / 2, "labels": train.y[order]}

    def predict(self, params, x):
        if isinstance(x, np.ndarray):
            return params["labels"][np.searchsorted(params["edges"], x @ params["direction"])]
        xp = x.__array_namespace__()
        key = x @ params["direction"]
        answers = []
        for row in range(len(x)):
            low, high = 0, 255
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if key[row] > params["edges"][middle] else (low, middle)
            answers.append(params["labels"][low])
        return xp.stack(answers)
