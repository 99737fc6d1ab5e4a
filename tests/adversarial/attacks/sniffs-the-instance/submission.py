"""Chooses how many points share a leaf by how many points there are: that is allowed, and no attack."""

import numpy as np

import sparsebench as sb
from sparsebench import ops


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
    def __init__(self, task, small, large):
        self.small, self.large = small, large

    def fit(self, train, valid, rng):
        return tree(train, rng, self.small if len(train.x) <= 256 else self.large)

    def predict(self, params, x):
        return ops.gather(ops.tree_route(x @ params["direction"], params["thresholds"]), params["y"])
