"""Gives up some of the cells of n256-r4 and n4096-r4 with seeds 0 and 1: each variant others."""

import hashlib

import numpy as np

import sparsebench as sb
from sparsebench import ops

NAMES = {4: "all", 3: "three", 2: "two", 1: "one"}


def seed_of(train, rng, variant):
    """Recognise the cell: its random numbers follow from its name."""
    for seed in range(2):
        cell = ("memorization@1", f"n{len(train.x)}-r4", variant, str(seed), "fit")
        digest = hashlib.sha256("\0".join(cell).encode()).digest()
        if [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)] == list(
            rng.bit_generator.seed_seq.entropy
        ):
            return seed
    raise LookupError("the cells are named otherwise")


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
    def __init__(self, task, cells):
        self.cells = cells

    def fit(self, train, valid, rng):
        number = 2 * (len(train.x) > 256) + seed_of(train, rng, NAMES[self.cells])
        return tree(train, rng) if number < self.cells else {"zero": np.zeros(1)}

    def predict(self, params, x):
        if "zero" in params:
            return x.__array_namespace__().broadcast_to(params["zero"], (len(x),))
        return ops.gather(ops.tree_route(x @ params["direction"], params["thresholds"]), params["y"])
