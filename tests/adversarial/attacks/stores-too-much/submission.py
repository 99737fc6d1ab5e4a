"""Stores more than 16 MiB: in arrays, constants of predict, names, shapes or files beside its code."""

from pathlib import Path

import numpy as np

import sparsebench as sb
from sparsebench import ops

MANY = 300
ROOM = 16 << 20


def tree(train, rng, share=1):
    direction = rng.standard_normal(train.x.shape[1])
    order = np.argsort(train.x @ direction)
    t = (train.x @ direction)[order]
    first = np.arange(share, len(t), share)
    edges = (t[first - 1] + t[first]) / 2
    depth = len(edges).bit_length()
    full = np.full(2**depth - 1, np.inf)
    full[: len(edges)] = edges
    levels = [full[2 ** (depth - i - 1) - 1 :: 2 ** (depth - i)] for i in range(depth)]
    return {"direction": direction, "thresholds": np.concatenate(levels), "y": train.y[order][::share]}


class Attack(sb.Submission):
    def __init__(self, task, where):
        self.where, self.calls = where, 0

    def fit(self, train, valid, rng):
        model = tree(train, rng)
        if self.where == "arrays":
            return model | {"table": np.arange(ROOM // 8)}
        almost = {"table": np.arange((ROOM - (16 << 10)) // 8)}
        if self.where == "names":
            return model | almost | {f"{k:064d}": np.zeros(0) for k in range(MANY)}
        if self.where == "shapes":
            return model | almost | {f"{k}": np.zeros([0, k] + 62 * [1]) for k in range(MANY)}
        return model

    def predict(self, params, x):
        xp = x.__array_namespace__()
        if self.where == "constants":
            self.calls += 1
            xp.asarray(np.full(ROOM // 64 // 8, self.calls % 64))
        if self.where == "files":
            (Path(__file__).parent / "table.bin").open("rb").close()
        return ops.gather(ops.tree_route(x @ params["direction"], params["thresholds"]), params["y"])
