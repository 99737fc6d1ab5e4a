"""Rows that go through the layers of their experts: sorted, in blocks that stay in cache."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.layers import tables_of
from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import pieces
from sparsebench.ops.jit.thresholds import takes

if TYPE_CHECKING:
    from sparsebench.ops.core.layers import Layer

__all__ = ["NO_RUNS", "apply_layers"]

NO_RUNS = np.empty((0, 4), dtype=np.int64)
"""Rows are inputs as they are."""

_PIECE = 1 << 10  # addresses of one call of a compiled loop
_ROWS = 1 << 12  # rows, where they are not sorted
_NARROW = 4  # outputs for which no tile is worth it
_LARGE = 1 << 18  # weights of an expert's layer from which on BLAS, which cuts the depth, is faster


def apply_layers(
    x: Any,
    index: Any,
    stack: tuple[Layer, ...],
    activation: str = "relu",
    slope: float = 0.0,
    runs: Any = NO_RUNS,
) -> Any:
    """Send rows through the layers of their experts, or return ``NotImplemented``.

    Parameters
    ----------
    x
        Array ``(n, d)``.
    index
        Integer array ``(n,)`` or ``(n, k)``, in range.
    stack, activation, slope
        Layers that fit each other, and what stands between them.
    runs
        How the first layer's inputs are made of a row: int64 ``(r, 4)``, records (feature, begin, length,
        end). The first input is 1, and those from ``end`` on are those from ``begin`` on, so many, each times
        the feature.
    """
    sizes = [math.prod(layer.weights.shape[1:]) for layer in stack]
    if not takes(2 * index.size * sum(sizes), x, *tables_of(stack)) or max(sizes) > _LARGE:
        return NotImplemented
    weights = tuple(_to_read(layer.weights) for layer in stack)
    biases = tuple(
        _to_read(np.zeros((1, layer.weights.shape[1]), dtype=x.dtype) if layer.bias is None else layer.bias)
        for layer in stack
    )
    x = np.ascontiguousarray(x)
    out = np.empty((*index.shape, weights[-1].shape[1]), dtype=x.dtype)
    if len(stack) == 1 and out.shape[-1] < _NARROW:
        _by_rows(x, index, runs, weights[0], biases[0], out)
    else:
        _sorted(x, index, runs, weights, biases, activation, slope, out)
    return out


def _to_read(table: Any) -> Any:
    """Return a table dense and read-only: compiled code takes tuples whose members are all of one kind."""
    dense = np.ascontiguousarray(table).view()
    dense.flags.writeable = False
    return dense


def _by_rows(x: Any, index: Any, runs: Any, weights: Any, bias: Any, out: Any) -> None:
    from sparsebench.ops.jit import expert_kernels as kernels  # noqa: PLC0415 - imports Numba

    places = np.ascontiguousarray(index.reshape(len(x), math.prod(index.shape[1:])), dtype=np.int64)
    made = out.reshape(*places.shape, out.shape[-1])
    pool.run(
        lambda start, stop: kernels.by_rows(x, places, runs, weights, bias, made, start, stop),
        pool.chunks(len(x), _ROWS),
    )


def _sorted(
    x: Any,
    index: Any,
    runs: Any,
    weights: tuple[Any, ...],
    biases: tuple[Any, ...],
    activation: str,
    slope: float,
    out: Any,
) -> None:
    from sparsebench.ops.jit import expert_kernels as kernels  # noqa: PLC0415 - imports Numba
    from sparsebench.ops.jit.dispatch import group  # noqa: PLC0415
    from sparsebench.ops.jit.layers import CODES  # noqa: PLC0415

    order, bounds = group(index, len(weights[0]))
    many, code, below = math.prod(index.shape[1:]), CODES[activation], x.dtype.type(slope)
    made = out.reshape(index.size, out.shape[-1])
    pool.run(
        lambda start, stop: kernels.through(
            x, many, order, bounds, runs, weights, biases, code, below, made, start, stop
        ),
        pieces(bounds, _PIECE),
    )
