"""Lets bits leave, for a price each, and computes in Python on them: walks a tree, or evaluates a network."""

import base64

import numpy as np

import sparsebench as sb

CENTRES = 400
LONGEST = 48  # characters of a name


class Tree(sb.Submission):
    """One paid bit at a time; the label is looked up in a Python list."""

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


class Network(sb.Submission):
    """Bisects every coordinate, and applies a kernel machine whose numbers stand in the names of arrays."""

    def __init__(self, bits):
        self.bits = bits
        self.known = None

    def fit(self, train, valid, rng):
        x, y = train.x.astype(float), train.y.astype(float)
        centres = x[rng.choice(len(x), CENTRES, replace=False)]
        f = features(x, centres)
        weights = np.linalg.solve(f.T @ f + 1e-4 * np.eye(CENTRES), f.T @ y)
        return {
            **as_names("centres", centres),
            **as_names("weights", weights),
            **as_names("low", x.min(0)),
            **as_names("high", x.max(0)),
        }

    def predict(self, params, x):
        xp = x.__array_namespace__()
        if self.known is None:
            self.known = [from_names(params, name) for name in ("centres", "weights", "low", "high")]
        centres, weights, low, high = self.known
        n, d = x.shape
        low, high = np.tile(low, (n, 1)), np.tile(high, (n, 1))
        for column in range(d):
            for _ in range(self.bits // d):
                middle = (low[:, column] + high[:, column]) / 2
                above = x[:, column] > xp.asarray(middle)
                told = np.array([bool(above[row]) for row in range(n)])
                low[:, column] = np.where(told, middle, low[:, column])
                high[:, column] = np.where(told, high[:, column], middle)
        return xp.asarray(features((low + high) / 2, centres.reshape(CENTRES, d)) @ weights)


def attack(task, bits=0):
    return Network(bits) if bits else Tree()


def features(x, centres):
    return np.exp(-0.5 * ((x * x).sum(1)[:, None] + (centres * centres).sum(1) - 2 * x @ centres.T))


def as_names(name, values):
    text = base64.b64encode(values.tobytes()).decode()
    return {f"{name}:{at:06}:{text[at : at + LONGEST]}": np.zeros(1) for at in range(0, len(text), LONGEST)}


def from_names(params, name):
    text = "".join(key.rpartition(":")[2] for key in sorted(params) if key.startswith(f"{name}:"))
    return np.frombuffer(base64.b64decode(text))
