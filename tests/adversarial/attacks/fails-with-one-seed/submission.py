"""Fails with seed 1, which it knows by its random numbers, and with no other."""

import hashlib

import numpy as np

import sparsebench as sb
from sparsebench import ops


def seed_of(train, rng, variant):
    """Recognise the cell: its random numbers follow from its name."""
    for seed in range(5):
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
    def __init__(self, task, fails):
        self.fails = fails

    def fit(self, train, valid, rng):
        if self.fails and seed_of(train, rng, "fails") == 1:
            raise RuntimeError("seed 1")
        return tree(train, rng)

    def predict(self, params, x):
        return ops.gather(ops.tree_route(x @ params["direction"], params["thresholds"]), params["y"])
