"""Merged experts on NumPy: parameters of a few examples at a time, applied while they are in cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import takes
from sparsebench.ops.grouped.layers import Layer, tables_of
from sparsebench.ops.merging import definition as merging

__all__ = ["merge_linear", "merged_mlp"]

_CACHE = 1 << 20  # bytes of merged parameters
_LEAST = 16  # examples, fewer of which BLAS multiplies slowly


def merge_linear(x: Any, gates: Any, weights: Any, bias: Any = None) -> Any:
    """Fast face of :func:`sparsebench.ops.merge_linear` for one dtype, float32 or float64."""
    stack = merging.check_merged("merge_linear", x, gates, (weights, bias))
    return _in_pieces(x, gates, stack, "relu", 0.0)


def merged_mlp(x: Any, gates: Any, *layers: Any, activation: str = "relu", slope: float = 0.25) -> Any:
    """Fast face of :func:`sparsebench.ops.merged_mlp` for one dtype, float32 or float64."""
    stack = merging.check_merged("merged_mlp", x, gates, layers, activation, slope)
    return _in_pieces(x, gates, stack, activation, slope)


def _in_pieces(x: Any, gates: Any, stack: tuple[Layer, ...], activation: str, slope: float) -> Any:
    if not takes(x, gates, *tables_of(stack)):
        return NotImplemented
    layers = [None if table is None else np.ascontiguousarray(table) for layer in stack for table in layer]
    reference = merging.merged_mlp.reference
    out = np.empty((*x.shape[:-1], stack[-1].weights.shape[1]), dtype=x.dtype)
    largest = max(math.prod(layer.weights.shape[1:]) for layer in stack)
    rows = max(_LEAST, _CACHE // max(1, largest * out.itemsize))

    def run(start: int, stop: int) -> None:
        part = slice(start, stop)
        out[part] = reference(x[part], gates[part], *layers, activation=activation, slope=slope)

    pool.run(run, pool.chunks(len(x), rows))
    return out
