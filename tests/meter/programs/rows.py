"""Steps of programs that treat every row of a batch by itself."""

from __future__ import annotations

import functools

import numpy as np

from ops.specimen import all_specimens
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


def _steps(kind):
    """Steps of the primitives, which their specimens know."""
    steps = {}
    for specimen in all_specimens().values():
        for name, step in getattr(specimen, kind).items():
            assert name not in steps, f"{specimen.name}: another primitive has a step {name!r}"
            steps[name] = functools.partial(step, ops)
    return steps


NUMBERS = {
    **_steps("numbers"),
    "abs": lambda s: s.xp.abs(s.x),
    "affine": lambda s: s.x @ s.params["square"] + s.params["vector"],
    "clip": lambda s: s.xp.clip(s.x, -1.0, 0.5),
    "centre": lambda s: s.x - s.xp.mean(s.x, axis=-1, keepdims=True),
    "concat": lambda s: s.xp.concat([s.x[:, 2:], s.before[:, :2]], axis=1),
    "cumulative": lambda s: s.xp.cumulative_sum(s.x, axis=1),
    "diff": lambda s: s.xp.diff(s.x, axis=1, prepend=s.before[:, 3:]),
    "divide": lambda s: s.x / (s.xp.abs(s.before) + 1.0),
    "flip": lambda s: s.x[:, ::-1],
    "flip-rows-twice": lambda s: (s.x[::-1] * 2.0)[::-1],
    "hypot": lambda s: s.xp.hypot(s.x, s.before),
    "minimum": lambda s: s.xp.minimum(s.x, s.before),
    "norm": lambda s: s.x / (1.0 + s.xp.linalg.vector_norm(s.x, axis=1, keepdims=True)),
    "prod": lambda s: s.x + s.xp.prod(s.before, axis=1)[:, None],
    "select": _selected,
    "sort": lambda s: s.xp.sort(s.x, axis=1),
    "spread": lambda s: s.x * s.xp.std(s.x, axis=1, correction=1)[:, None],
    "swap": lambda s: s.before,
    "take-along": lambda s: s.xp.take_along_axis(s.x, s.xp.argsort(s.before, axis=1), axis=1),
    "tanh": lambda s: s.xp.tanh(s.x),
    "tensordot": lambda s: s.xp.tensordot(s.x, s.params["square"], axes=1),
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
    **_steps("addresses"),
    "argmax": lambda s: s.xp.argmax(s.x, axis=1),
    "count": lambda s: s.xp.count_nonzero(s.bits, axis=1),
    "search": lambda s: s.xp.searchsorted(s.params["edges"], s.x[:, 2]),
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
