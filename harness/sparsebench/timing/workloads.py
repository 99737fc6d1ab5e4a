"""The workloads: one per primitive.

If a result is an address, inputs are multiples of 1/4, with which float32 is exact: so addresses must be the
reference's, whatever the order of sums. All other numbers are normally distributed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.timing.draws import WIDTH, dtype_of, gates, index, layers, normal, quarters, uniform, weights
from sparsebench.timing.workload import Workload

__all__ = ["WORKLOADS"]

_TREE_DEPTH = 16
_ARITY, _LEVELS = 8, 3
_MANY, _QUICK = 1 << 18, 1 << 13


def _nodes(depth: int) -> int:
    return int(2**depth) - 1


_POINTS = sum(_ARITY**level for level in range(1, _LEVELS + 1))

_ROUTING = (
    Workload(
        "hyperplane_hash",
        "64 numbers, 16 planes",
        _MANY,
        _QUICK,
        lambda rng, n, t: (quarters(rng, (n, WIDTH), t), quarters(rng, (16, WIDTH), t)),
    ),
    Workload(
        "pstable_hash",
        "64 numbers, 8 directions, 16 levels",
        _MANY,
        _QUICK,
        lambda rng, n, t: (
            quarters(rng, (n, WIDTH), t),
            quarters(rng, (8, WIDTH), t),
            quarters(rng, (8,), t) + dtype_of(t).type(8),
        ),
        options={"levels": 16},
    ),
    Workload(
        "nearest_prototype",
        "64 numbers, 1,024 prototypes",
        1 << 15,
        1 << 12,
        lambda rng, n, t: (quarters(rng, (n, WIDTH), t), quarters(rng, (1024, WIDTH), t)),
    ),
    Workload(
        "nearest_in_tree",
        f"64 numbers, {_ARITY} children, {_LEVELS} levels",
        1 << 16,
        _QUICK,
        lambda rng, n, t: (quarters(rng, (n, WIDTH), t), quarters(rng, (_POINTS, WIDTH), t)),
        options={"arity": _ARITY},
    ),
    Workload(
        "tree_route",
        f"depth {_TREE_DEPTH}",
        1 << 20,
        1 << 14,
        lambda rng, n, t: (uniform(rng, (n,), t), uniform(rng, (_nodes(_TREE_DEPTH),), t)),
    ),
    Workload(
        "axis_tree_route",
        f"64 numbers, depth {_TREE_DEPTH}",
        _MANY,
        _QUICK,
        lambda rng, n, t: (
            uniform(rng, (n, WIDTH), t),
            index(rng, _nodes(_TREE_DEPTH), WIDTH),
            uniform(rng, (_nodes(_TREE_DEPTH),), t),
        ),
    ),
    Workload(
        "oblique_tree_route",
        "64 numbers, depth 10",
        1 << 16,
        _QUICK,
        lambda rng, n, t: (
            quarters(rng, (n, WIDTH), t),
            quarters(rng, (_nodes(10), WIDTH), t),
            quarters(rng, (_nodes(10),), t),
        ),
    ),
    Workload(
        "searchsorted_route",
        "65,535 edges",
        1 << 20,
        1 << 14,
        lambda rng, n, t: (uniform(rng, (n,), t), np.sort(uniform(rng, (65_535,), t))),
    ),
    Workload(
        "top_k_gate",
        "64 numbers, the 2 best of 64 experts",
        1 << 16,
        _QUICK,
        lambda rng, n, t: (quarters(rng, (n, WIDTH), t), quarters(rng, (64, WIDTH), t)),
        options={"k": 2},
    ),
    Workload(
        "top_k", "the 4 largest of 64", 1 << 16, _QUICK, lambda rng, n, t: (normal(rng, (n, WIDTH), t), 4)
    ),
    Workload(
        "pack_bits",
        "16 bits",
        1 << 20,
        1 << 14,
        lambda rng, n, _: tuple(rng.random(n) < 0.5 for _ in range(16)),  # noqa: PLR2004 - a fair coin
        by_row=tuple(range(16)),
    ),
    Workload(
        "quantize",
        "256 levels",
        1 << 22,
        1 << 16,
        lambda rng, n, t: (uniform(rng, (n,), t) * dtype_of(t).type(256),),
        options={"levels": 256},
    ),
    Workload(
        "one_hot",
        "64 classes",
        1 << 18,
        1 << 14,
        lambda rng, n, _: (index(rng, n, 64),),
        options={"classes": 64},
    ),
)

_EXPERTS = (
    Workload(
        "grouped_linear",
        "64 → 64, 256 experts",
        1 << 17,
        _QUICK,
        lambda rng, n, t: (
            normal(rng, (n, WIDTH), t),
            index(rng, n, 256),
            weights(rng, (256, WIDTH, WIDTH), t),
            normal(rng, (256, WIDTH), t),
        ),
        by_row=(0, 1),
    ),
    Workload(
        "gather_matmul",
        "64 → 64, 256 experts",
        1 << 17,
        _QUICK,
        lambda rng, n, t: (
            normal(rng, (n, WIDTH), t),
            index(rng, n, 256),
            weights(rng, (256, WIDTH, WIDTH), t),
        ),
        by_row=(0, 1),
    ),
    Workload(
        "grouped_mlp",
        "64 → 64 → 64, 256 experts",
        1 << 16,
        _QUICK,
        lambda rng, n, t: (normal(rng, (n, WIDTH), t), index(rng, n, 256), *layers(rng, 256, t)),
        by_row=(0, 1),
    ),
    Workload(
        "grouped_polynomial",
        "8 numbers, degree 2, 1,024 buckets",
        _MANY,
        _QUICK,
        lambda rng, n, t: (normal(rng, (n, 8), t), index(rng, n, 1024), normal(rng, (1024, 45), t)),
        by_row=(0, 1),
        options={"degree": 2},
    ),
    Workload(
        "gather",
        "records of 64 from 65,536",
        _MANY,
        _QUICK,
        lambda rng, n, t: (index(rng, n, 65_536), normal(rng, (65_536, WIDTH), t)),
    ),
    Workload(
        "gather_constant",
        "4 gated constants of 65,536",
        _MANY,
        _QUICK,
        lambda rng, n, t: (index(rng, (n, 4), 65_536), normal(rng, (65_536,), t), gates(rng, (n, 4), t)),
        by_row=(0, 2),
    ),
    Workload(
        "merge_linear",
        "128 positions of 64 → 64, 8 experts",
        512,
        32,
        lambda rng, n, t: (
            normal(rng, (n, 128, WIDTH), t),
            gates(rng, (n, 8), t),
            weights(rng, (8, WIDTH, WIDTH), t),
            normal(rng, (8, WIDTH), t),
        ),
        by_row=(0, 1),
    ),
    Workload(
        "merged_mlp",
        "128 positions of 64 → 64 → 64, 8 experts",
        512,
        32,
        lambda rng, n, t: (normal(rng, (n, 128, WIDTH), t), gates(rng, (n, 8), t), *layers(rng, 8, t)),
        by_row=(0, 1),
    ),
    Workload(
        "segment_combine",
        "4 gated rows of 64",
        1 << 16,
        _QUICK,
        lambda rng, n, t: (normal(rng, (n, 4, WIDTH), t), gates(rng, (n, 4), t)),
        by_row=(0, 1),
    ),
    Workload(
        "top_k_mask_linear",
        "the 16 largest of 256 units, 8 outputs",
        1 << 15,
        1 << 11,
        lambda rng, n, t: (normal(rng, (n, 256), t), normal(rng, (256, 8), t), normal(rng, (8,), t)),
        options={"k": 16},
    ),
    Workload(
        "convac_layer",
        "16 positions of 32, windows of 2, 32 channels",
        1 << 14,
        1 << 9,
        lambda rng, n, t: (normal(rng, (n, 16, 32), t), weights(rng, (2, 32, 32), t)),
        options={"stride": 2},
    ),
    Workload(
        "scatter_add",
        "records of 64 into 4,096",
        1 << 16,
        1 << 12,
        lambda rng, n, t: (
            normal(rng, (4096, WIDTH), t),
            index(rng, n, 4096),
            normal(rng, (n, WIDTH), t),
        ),
        by_row=(),
    ),
    Workload(
        "segment_sum",
        "records of 64 into 4,096",
        1 << 16,
        1 << 12,
        lambda rng, n, t: (normal(rng, (n, WIDTH), t), index(rng, n, 4096)),
        by_row=(),
        options={"num_segments": 4096},
    ),
)


def _one(name: str, **options: Any) -> Workload:
    """Describe a primitive of one array, row by row."""
    return Workload(
        name,
        "64 numbers",
        _MANY,
        _QUICK,
        lambda rng, n, t: (normal(rng, (n, WIDTH), t),),
        options=options,
    )


_PLAIN = (
    *map(_one, ("relu", "sigmoid", "swish", "k_tanh", "erf", "gelu", "softmax", "logsumexp")),
    Workload(
        "prelu",
        "64 numbers",
        _MANY,
        _QUICK,
        lambda rng, n, t: (normal(rng, (n, WIDTH), t), uniform(rng, (WIDTH,), t)),
    ),
    Workload(
        "layer_norm",
        "64 numbers",
        _MANY,
        _QUICK,
        lambda rng, n, t: (
            normal(rng, (n, WIDTH), t),
            normal(rng, (WIDTH,), t),
            normal(rng, (WIDTH,), t),
        ),
    ),
    Workload(
        "einsum",
        "a product 64 → 64",
        _MANY,
        _QUICK,
        lambda rng, n, t: (
            "nd,hd->nh",
            normal(rng, (n, WIDTH), t),
            weights(rng, (WIDTH, WIDTH), t),
        ),
        by_row=(1,),
    ),
)

WORKLOADS: dict[str, Workload] = {work.primitive: work for work in (*_ROUTING, *_EXPERTS, *_PLAIN)}
"""By the primitive's name."""
