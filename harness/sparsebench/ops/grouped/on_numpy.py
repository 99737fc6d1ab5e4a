"""Grouped layers on NumPy: rows sorted by expert, and one BLAS product for each expert."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.layers import tables_of
from sparsebench.ops.cpu.dispatch import takes
from sparsebench.ops.cpu.experts import few, gathered, rows_of, through_experts
from sparsebench.ops.grouped import definition
from sparsebench.ops.grouped.layers import activate

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.core.layers import Layer

__all__ = ["gather_matmul", "grouped_linear", "grouped_mlp"]


@definition.grouped_linear.on("numpy")
def grouped_linear(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.grouped_linear` for one dtype, float32 or float64."""
    return _apply(call, definition.layer_of(call))


@definition.gather_matmul.on("numpy")
def gather_matmul(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.gather_matmul` for one dtype, float32 or float64."""
    return definition.as_asked(call, _apply(call, definition.layer_of(call)))


@definition.grouped_mlp.on("numpy")
def grouped_mlp(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.grouped_mlp` for one dtype, float32 or float64."""
    return _apply(call, call.layers, call.activation, call.slope)


def _apply(call: Call, stack: tuple[Layer, ...], activation: str = "relu", slope: float = 0.0) -> Any:
    x, index, tables = call.x, call.index, tables_of(stack)
    if not takes(x, *tables):
        return NotImplemented
    out = np.empty((*index.shape, stack[-1].weights.shape[1]), dtype=x.dtype)
    record = sum(math.prod(table.shape[1:]) for table in tables)
    if few(index, record, len(tables[0])):
        gathered(
            lambda part: definition.apply(x[part], index[part], stack, activation, slope), index, record, out
        )
    else:
        many = math.prod(index.shape[1:])
        through_experts(
            lambda at: np.take(x, rows_of(at, many), axis=0),
            index,
            stack,
            lambda block: _between(block, activation, slope),
            out,
        )
    return out


def _between(block: Any, activation: str, slope: float) -> Any:
    """Apply what stands between layers, in place where that is of use."""
    if activation == "relu":
        return np.maximum(block, 0, out=block)
    return activate(activation, slope, block)
