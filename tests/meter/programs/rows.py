"""Steps of programs that treat every row of a batch by itself."""

from __future__ import annotations

import numpy as np

from sparsebench import ops

D = 4
_RNG = np.random.default_rng(7)
PARAMETERS = {
    "square": _RNG.standard_normal((D, D)),
    "vector": _RNG.standard_normal(D).astype(np.float32),
    "planes": _RNG.standard_normal((3, D)),
    "tree": np.sort(_RNG.standard_normal(7)),
    "features": _RNG.integers(0, D, 7),
    "offsets": np.array([0.5, 1.0, 1.5]),
    "points": _RNG.standard_normal((14, D)),
    "experts": _RNG.standard_normal((8, D, D)).astype(np.float32),
    "biases": _RNG.standard_normal((8, D)),
    "edges": np.sort(_RNG.standard_normal(5)).astype(np.float32),
    "table": _RNG.standard_normal((8, D)),
}


class Rows:
    """What a program has: numbers (n, 4) of now and of before, bits (n, 4), an address in [0, 8) per row."""

    def __init__(self, meter, x):
        self.xp, self.params = meter.xp, meter.params
        self.x = self.before = meter.begin(x)
        self.bits = self.x > 0.0
        self.index = ops.quantize(self.x[:, 0] + 4.0, levels=8)

    def answers(self):
        return self.x, self.before, self.bits, self.index


def _selected(s):
    """Work on the rows that a mask selects."""
    mask, out = s.bits[:, 1], s.xp.asarray(s.x, copy=True)
    out[mask] = s.xp.exp(-s.xp.abs(s.x[mask])) @ s.xp.astype(s.params["square"], s.x.dtype)
    return out


def _counted(s):
    """Add at places of the flat batch, as a dispatch of rows to experts does."""
    n = s.x.shape[0]
    return ops.scatter_add(s.x, s.xp.arange(n), s.before)


NUMBERS = {
    "abs": lambda s: s.xp.abs(s.x),
    "affine": lambda s: s.x @ s.params["square"] + s.params["vector"],
    "clip": lambda s: s.xp.clip(s.x, -1.0, 0.5),
    "centre": lambda s: s.x - s.xp.mean(s.x, axis=-1, keepdims=True),
    "circuit": lambda s: ops.convac_layer(s.x[:, :, None], s.params["table"][:1, :, None])[:, :, 0],
    "combine": lambda s: s.x + ops.segment_combine(s.before[:, :, None], s.x)[:, :1],
    "constants": lambda s: (
        s.x
        + ops.gather_constant(s.xp.stack([s.index, 7 - s.index], axis=1), s.params["table"], s.before[:, :2])
    ),
    "concat": lambda s: s.xp.concat([s.x[:, 2:], s.before[:, :2]], axis=1),
    "cumulative": lambda s: s.xp.cumulative_sum(s.x, axis=1),
    "diff": lambda s: s.xp.diff(s.x, axis=1, prepend=s.before[:, 3:]),
    "divide": lambda s: s.x / (s.xp.abs(s.before) + 1.0),
    "einsum": lambda s: ops.einsum("nd,nd,de->ne", s.x, s.before, s.params["square"]),
    "erf": lambda s: ops.erf(s.x),
    "experts": lambda s: ops.grouped_linear(s.x, s.index, s.params["experts"], s.params["biases"]),
    "flip": lambda s: s.x[:, ::-1],
    "gate": lambda s: s.x + ops.top_k_gate(s.x, s.params["square"], s.params["vector"], k=2)[1][:, 1:],
    "flip-rows-twice": lambda s: (s.x[::-1] * 2.0)[::-1],
    "gather": lambda s: s.x + ops.gather(s.index, s.params["table"]),
    "gather-matmul": lambda s: s.x * ops.gather_matmul(s.x, s.index, s.params["table"])[:, None],
    "gelu": lambda s: ops.gelu(s.x),
    "gelu-tanh": lambda s: ops.gelu(s.x, approximate="tanh"),
    "hypot": lambda s: s.xp.hypot(s.x, s.before),
    "k-tanh": lambda s: ops.k_tanh(s.x),
    "layer-norm": lambda s: ops.layer_norm(s.x, s.params["vector"]),
    "logsumexp": lambda s: s.x - ops.logsumexp(s.x, keepdims=True),
    "masked": lambda s: s.x + ops.top_k_mask_linear(s.before, s.params["square"], k=2),
    "merged": lambda s: ops.merged_mlp(
        s.x[:, None, :], s.before, s.params["experts"][:4], s.params["biases"][:4], s.params["experts"][4:]
    )[:, 0, :],
    "minimum": lambda s: s.xp.minimum(s.x, s.before),
    "norm": lambda s: s.x / (1.0 + s.xp.linalg.vector_norm(s.x, axis=1, keepdims=True)),
    "one-hot": lambda s: s.x + ops.one_hot(s.index, classes=8)[:, :4],
    "perceptrons": lambda s: ops.grouped_mlp(
        s.x, s.index, s.params["experts"], s.params["biases"], s.params["experts"], activation="swish"
    ),
    "polynomials": lambda s: (
        s.x * ops.grouped_polynomial(s.before[:, :2], s.index, s.params["table"][:, :3], degree=1)[:, None]
    ),
    "prelu": lambda s: ops.prelu(s.x, s.params["vector"]),
    "prod": lambda s: s.x + s.xp.prod(s.before, axis=1)[:, None],
    "relu": lambda s: ops.relu(s.x),
    "scatter": _counted,
    "select": _selected,
    "sigmoid": lambda s: ops.sigmoid(s.x),
    "softmax": lambda s: ops.softmax(s.x),
    "sort": lambda s: s.xp.sort(s.x, axis=1),
    "spread": lambda s: s.x * s.xp.std(s.x, axis=1, correction=1)[:, None],
    "swish": lambda s: ops.swish(s.x),
    "swap": lambda s: s.before,
    "take-along": lambda s: s.xp.take_along_axis(s.x, s.xp.argsort(s.before, axis=1), axis=1),
    "tanh": lambda s: s.xp.tanh(s.x),
    "tensordot": lambda s: s.xp.tensordot(s.x, s.params["square"], axes=1),
    "top-k": lambda s: s.x + ops.top_k(s.x, 3)[0][:, 2:],
    "transposed": lambda s: (s.x.T + s.before.T).T,
    "vecdot": lambda s: s.x + s.xp.vecdot(s.x, s.params["vector"])[:, None],
    "where": lambda s: s.xp.where(s.bits, s.x, s.before),
    "where-row": lambda s: s.xp.where(s.xp.any(s.bits, axis=1)[:, None], s.x, 0.5),
}
BITS = {
    "compare": lambda s: s.x >= s.before,
    "near": lambda s: s.xp.abs(s.x - s.before) < 0.5,
    "not": lambda s: ~s.bits,
    "or": lambda s: s.bits | (s.x < s.params["vector"]),
    "xor-flipped": lambda s: s.bits ^ s.xp.flip(s.bits, axis=1),
}
ADDRESSES = {
    "axis-tree": lambda s: ops.axis_tree_route(s.x, s.params["features"], s.params["tree"]),
    "argmax": lambda s: s.xp.argmax(s.x, axis=1),
    "cells": lambda s: ops.pstable_hash(s.x, s.params["planes"], s.params["offsets"], levels=2),
    "count": lambda s: s.xp.count_nonzero(s.bits, axis=1),
    "hash": lambda s: ops.hyperplane_hash(s.x, s.params["planes"]),
    "nearest": lambda s: ops.nearest_prototype(s.x, s.params["planes"]),
    "nearest-in-tree": lambda s: ops.nearest_in_tree(s.x, s.params["points"], arity=2),
    "oblique-tree": lambda s: ops.oblique_tree_route(s.x, s.params["points"][:7], s.params["tree"]),
    "pack": lambda s: ops.pack_bits(s.bits[:, 0], s.bits[:, 1], s.bits[:, 3]),
    "quantize": lambda s: ops.quantize(s.x[:, 1] * 2.0 + 4.0, levels=8),
    "search": lambda s: s.xp.searchsorted(s.params["edges"], s.x[:, 2]),
    "search-route": lambda s: ops.searchsorted_route(s.x[:, 2], s.params["edges"]),
    "tree": lambda s: ops.tree_route(s.x[:, 3], s.params["tree"]),
    "xor": lambda s: (s.index ^ ops.quantize(s.x[:, 0], levels=8)) & 7,
}
STEPS = sorted([*NUMBERS, *BITS, *ADDRESSES])


def step(rows, name):
    if name in BITS:
        rows.bits = BITS[name](rows)
    elif name in ADDRESSES:
        rows.index = ADDRESSES[name](rows)
    else:
        rows.x, rows.before = NUMBERS[name](rows), rows.x
