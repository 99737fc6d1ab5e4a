"""Calls of the routing primitives. Numbers are multiples of 1/4, so that choices are exact."""

from __future__ import annotations

import ml_dtypes
import numpy as np
from cases import case
from faces import quarters


def _hash(d, shape, dtype=np.float32):
    def make(rng, n):
        return (
            quarters(rng, (n, d), dtype, 4),
            quarters(rng, (*shape, d), dtype, 4),
            quarters(rng, shape, dtype),
        )

    return make


def _rows(d, many, dtype=np.float32):
    return lambda rng, n: (quarters(rng, (n, d), dtype, 3), quarters(rng, (many, d), dtype, 3))


def _key(depth, dtype=np.float32):
    def make(rng, n):
        nodes = 2**depth - 1
        return (quarters(rng, n, np.float64, 4000) * 4).astype(dtype), (
            quarters(rng, nodes, np.float64, 4000) * 4
        ).astype(dtype)

    return make


def _axis(d, depth, index):
    def make(rng, n):
        nodes = 2**depth - 1
        return quarters(rng, (n, d)), rng.integers(0, d, size=nodes).astype(index), quarters(rng, nodes)

    return make


def _oblique(d, depth, dtype=np.float32):
    def make(rng, n):
        nodes = 2**depth - 1
        return quarters(rng, (n, d), dtype), quarters(rng, (nodes, d), dtype), quarters(rng, nodes, dtype)

    return make


def _edges(m, dtype=np.float32):
    def make(rng, n):
        x, edges = quarters(rng, n, np.float64, 4000), np.sort(quarters(rng, m, np.float64, 4000))
        return (4 * x).astype(dtype), (4 * edges).astype(dtype)

    return make


def _gate(d, many, dtype=np.float32, *, biased=True):
    def make(rng, n):
        parts = quarters(rng, (n, d), dtype, 2), quarters(rng, (many, d), dtype, 2)
        return (*parts, quarters(rng, many, dtype)) if biased else parts

    return make


CASES = [
    *(
        case("hyperplane_hash", _hash(64, (10,), dtype), np.dtype(dtype).name)
        for dtype in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)
    ),
    case("hyperplane_hash", _hash(32, (16,), ml_dtypes.bfloat16), "16 planes"),
    case("hyperplane_hash", _hash(128, (1, 3), np.float16), "one table"),
    case("hyperplane_hash", _hash(30, (4, 7)), "tables"),
    case("hyperplane_hash", _hash(1000, (40,)), "long"),
    *(
        case("pstable_hash", _hash(48, (2, 6), dtype), np.dtype(dtype).name, levels=9)
        for dtype in (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)
    ),
    case("pstable_hash", _hash(11, (20,)), "many", levels=8),
    case("nearest_prototype", _rows(20, 300)),
    case("nearest_prototype", _rows(3, 5, np.float64), "float64"),
    case("nearest_in_tree", _rows(64, 7 + 49 + 343), "of 7", arity=7),
    case("nearest_in_tree", _rows(5, 2046, np.float64), "float64", arity=2),
    case("nearest_in_tree", _rows(200, 20), "long", arity=4),
    *(
        case("tree_route", _key(15, dtype), np.dtype(dtype).name)
        for dtype in (np.float32, np.float64, np.int32, np.int64)
    ),
    case("tree_route", _key(0), "of one leaf"),
    *(
        case("axis_tree_route", _axis(9, 14, index), np.dtype(index).name)
        for index in (np.uint8, np.int32, np.int64)
    ),
    case("oblique_tree_route", _oblique(24, 8)),
    case("oblique_tree_route", _oblique(200, 4, np.float64), "long"),
    *(
        case("searchsorted_route", _edges(m, dtype), f"{m} {np.dtype(dtype).name}")
        for m, dtype in ((0, np.float32), (999, np.float64), (40_000, np.float32), (5_000, np.int64))
    ),
    case("top_k_gate", _gate(32, 200), k=4),
    case("top_k_gate", _gate(7, 33, np.float64, biased=False), "float64", k=32),
]
