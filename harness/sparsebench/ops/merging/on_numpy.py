"""Merged experts on NumPy: parameters of a few examples at a time, applied while they are in cache."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.layers import Layer, tables_of
from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import takes
from sparsebench.ops.merging import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["merge_linear", "merged_mlp"]

_CACHE = 1 << 20  # bytes of merged parameters
_LEAST = 16  # examples, fewer of which BLAS multiplies slowly


@definition.merge_linear.on("numpy")
def merge_linear(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.merge_linear` for one dtype, float32 or float64."""
    return _in_pieces(call, (Layer(call.weights, call.bias),), "relu", 0.0)


@definition.merged_mlp.on("numpy")
def merged_mlp(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.merged_mlp` for one dtype, float32 or float64."""
    return _in_pieces(call, call.layers, call.activation, call.slope)


def _in_pieces(call: Call, stack: tuple[Layer, ...], activation: str, slope: float) -> Any:
    x, gates = call.x, call.gates
    if not takes(x, gates, *tables_of(stack)):
        return NotImplemented
    dense = tuple(
        Layer(*(None if table is None else np.ascontiguousarray(table) for table in layer)) for layer in stack
    )
    out = np.empty((*x.shape[:-1], call["h"]), dtype=x.dtype)
    largest = max(math.prod(layer.weights.shape[1:]) for layer in stack)
    rows = max(_LEAST, _CACHE // max(1, largest * out.itemsize))

    def run(start: int, stop: int) -> None:
        part = slice(start, stop)
        out[part] = definition.apply(np, x[part], gates[part], dense, activation, slope)

    pool.run(run, pool.chunks(len(x), rows))
    return out
