"""Calls of the expert primitives."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
from cases import case
from faces import quarters

BF16 = ml_dtypes.bfloat16


def _taken(rng, n, experts, k, kind, dtype=np.int64):
    """Draw experts: evenly, most of them few, or one for all."""
    shape = (n,) if k is None else (n, k)
    if kind == "one":
        return np.full(shape, experts - 1, dtype)
    if kind == "skewed":
        return np.minimum(rng.geometric(0.4, shape) - 1, experts - 1).astype(dtype)
    return rng.integers(0, experts, shape).astype(dtype)


def _layers(rng, experts, widths, dtype, bias):
    for d, h in itertools.pairwise(widths):
        yield (rng.standard_normal((experts, h, d)) / max(d, 1) ** 0.5).astype(dtype)
        yield rng.standard_normal((experts, h)).astype(dtype) if bias else None


def _mlp(widths, experts=7, k=None, kind="even", dtype=np.float32, index=np.int64, bias=True):
    def make(rng, n):
        x = rng.standard_normal((n, widths[0])).astype(dtype)
        return x, _taken(rng, n, experts, k, kind, index), *_layers(rng, experts, widths, dtype, bias)

    return make


def _linear(*args, weights_only=False, **kwargs):
    made = _mlp(*args, **kwargs)
    return (lambda rng, n: made(rng, n)[:3]) if weights_only else made


def _vectors(d, experts, k):
    def make(rng, n):
        x = rng.standard_normal((n, d)).astype(np.float32)
        return x, _taken(rng, n, experts, k, "even"), rng.standard_normal((experts, d)).astype(np.float32)

    return make


def _merged(widths, experts, positions, dtype=np.float32, bias=True):
    def make(rng, n):
        n = min(n, 40)
        shape = (n, widths[0]) if positions is None else (n, positions, widths[0])
        gates = rng.random((n, experts)) + 0.1
        gates /= gates.sum(axis=1, keepdims=True)
        x = rng.standard_normal(shape).astype(dtype)
        return x, gates.astype(dtype), *_layers(rng, experts, widths, dtype, bias)

    return make


def _combined(k, h, dtype=np.float32):
    def make(rng, n):
        values = rng.standard_normal((n, k) if h is None else (n, k, h)).astype(dtype)
        return values, rng.random((n, k)).astype(dtype)

    return make


def _constants(experts, h, k, gates, dtype=np.float32, index=np.int64):
    def make(rng, n):
        constants = rng.standard_normal((experts,) if h is None else (experts, h)).astype(dtype)
        where = _taken(rng, n, experts, k, "skewed", index)
        return (where, constants, rng.random((n, k)).astype(dtype)) if gates else (where, constants)

    return make


def _polynomial(d, degree, h, k, dtype=np.float32):
    def make(rng, n):
        monomials = 1
        for step in range(1, degree + 1):
            monomials = monomials * (d + step) // step
        shape = (5, monomials) if h is None else (5, h, monomials)
        x = rng.uniform(-1, 1, (n, d)).astype(dtype)
        return x, _taken(rng, n, 5, k, "even"), rng.standard_normal(shape).astype(dtype)

    return make


def _masked(t, o, bias, dtype=np.float32):
    def make(rng, n):
        readout = rng.standard_normal((t,) if o is None else (t, o)).astype(dtype)
        shift = rng.standard_normal(() if o is None else (o,)).astype(dtype)
        return quarters(rng, (n, t), dtype), readout, *((np.asarray(shift),) if bias else ())

    return make


def _circuit(positions, m, window, channels, dtype=np.float32):
    def make(rng, n):
        n = min(n, 300)
        x = rng.standard_normal((n, positions, m)).astype(dtype)
        return x, rng.standard_normal((window, channels, m)).astype(dtype)

    return make


CASES = [
    case("grouped_linear", _linear((5, 3)), "small"),
    case("grouped_linear", _linear((5, 3), weights_only=True), "no bias"),
    case("grouped_linear", _linear((64, 64), experts=40, k=2), "two experts"),
    case("grouped_linear", _linear((0, 3)), "no features"),
    case("grouped_linear", _linear((200, 70), kind="skewed"), "wide"),
    case("grouped_linear", _linear((9, 4), dtype=np.float64, kind="one"), "float64"),
    case("grouped_linear", _linear((24, 10), dtype=np.float16), "float16"),
    case("grouped_linear", _linear((24, 10), dtype=BF16, index=np.uint8), "bfloat16"),
    case("grouped_linear", _linear((150, 8), dtype=BF16), "wide bfloat16"),
    case("gather_matmul", _linear((6, 4), k=3, weights_only=True), "matrices"),
    case("gather_matmul", _vectors(10, 6, None), "vectors"),
    case("grouped_mlp", _mlp((64, 64, 64), experts=12), "two layers"),
    case(
        "grouped_mlp", _mlp((30, 17, 9, 5), k=2, kind="skewed", index=np.int32), "prelu", activation="prelu"
    ),
    case("grouped_mlp", _mlp((20, 33, 1), bias=False), "no bias"),
    case("grouped_mlp", _mlp((3, 100, 120), kind="one"), "one expert"),
    case("grouped_mlp", _mlp((7, 140, 6), experts=3), "layer by layer", activation="swish"),
    case("grouped_mlp", _mlp((8, 8, 8), experts=9000), "many experts"),
    case("grouped_mlp", _mlp((12, 40, 3), dtype=np.float64), "float64", activation="swish"),
    case("grouped_mlp", _mlp((40, 24, 7), dtype=np.float16), "float16"),
    case("grouped_mlp", _mlp((64, 64, 64), dtype=BF16, k=2), "bfloat16"),
    case("grouped_mlp", _mlp((1, 1), dtype=np.float32), "one layer"),
    case("grouped_mlp", _mlp((256, 300, 136), experts=5, dtype=BF16), "large bfloat16", activation="prelu"),
    case("grouped_mlp", _mlp((131, 67, 257), experts=3, k=2, dtype=np.float16), "large float16"),
    case("grouped_mlp", _mlp((200, 129, 64), experts=4, kind="skewed"), "large"),
    case("merge_linear", _merged((6, 5), 4, None), "vectors"),
    case("merge_linear", _merged((70, 90), 6, None, BF16), "vectors in bfloat16"),
    case("merged_mlp", _merged((33, 40, 12), 3, 2), "two positions"),
    case("merge_linear", _merged((6, 5), 4, 7, bias=False), "positions"),
    case("merged_mlp", _merged((64, 32, 16), 3, 20), "two layers"),
    case("merged_mlp", _merged((9, 130, 4), 5, 3), "wide", activation="swish"),
    case("merged_mlp", _merged((9, 12, 4), 5, 3, np.float64), "float64", activation="prelu", slope=-0.5),
    case("merged_mlp", _merged((16, 16, 8), 2, 130, BF16), "bfloat16"),
    case("segment_combine", _combined(3, 5)),
    case("segment_combine", _combined(2, None, np.float64), "numbers"),
    case("segment_combine", _combined(2, 6, BF16), "bfloat16"),
    case("gather_constant", _constants(9, None, None, gates=False), "numbers"),
    case("gather_constant", _constants(9, 4, 3, gates=True, index=np.uint8), "gates"),
    case("gather_constant", _constants(9, 4, 2, gates=False, dtype=np.float64, index=np.int32), "float64"),
    case("grouped_polynomial", _polynomial(3, 2, None, None), "squares", degree=2),
    case("grouped_polynomial", _polynomial(4, 3, 2, 2, np.float64), "cubes", degree=3),
    case("grouped_polynomial", _polynomial(4, 0, None, None), "constants", degree=0),
    case("top_k_mask_linear", _masked(40, None, bias=True), "one output", k=5),
    case("top_k_mask_linear", _masked(100, 37, bias=False, dtype=np.float64), "float64", k=32),
    case("top_k_mask_linear", _masked(300, 5, bias=True), "many", k=64),
    case("convac_layer", _circuit(9, 3, 2, 4), "windows", stride=2),
    case("convac_layer", _circuit(3, 50, 2, 130), "large"),
    case("convac_layer", _circuit(6, 2, 3, 5, np.float64), "overlap"),
]
