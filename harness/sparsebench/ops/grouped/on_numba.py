"""Grouped layers compiled by Numba: sorted rows go through all layers in blocks that stay in cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import pieces
from sparsebench.ops.grouped import definition as grouped
from sparsebench.ops.grouped.layers import Layer, tables_of
from sparsebench.ops.jit.worth import takes
from sparsebench.ops.lookup.definition import check_index

__all__ = ["NO_RUNS", "apply_layers", "gather_matmul", "grouped_linear", "grouped_mlp"]

NO_RUNS = np.empty((0, 4), dtype=np.int64)
"""Rows are inputs as they are."""

_PIECE = 1 << 10  # addresses of one call of a compiled loop
_ROWS = 1 << 12  # rows, where they are not sorted
_NARROW = 4  # outputs for which no tile is worth it
_LARGE = 1 << 18  # weights of an expert's layer from which on BLAS, which cuts the depth, is faster


def grouped_linear(x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    """Fast face of :func:`sparsebench.ops.grouped_linear` for one dtype, float32 or float64."""
    experts, _, _ = grouped.check_linear(x, index, weights, bias)
    check_index("grouped_linear", index, experts)
    return apply_layers(x, index, (Layer(weights, bias),))


def gather_matmul(x: Any, index: Any, weights: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.gather_matmul` for one dtype, float32 or float64."""
    layers = grouped.as_layers(x, index, weights)
    check_index("gather_matmul", index, layers.shape[0])
    made = apply_layers(x, index, (Layer(layers, None),))
    return made if made is NotImplemented or weights.ndim > 2 else made[..., 0]  # noqa: PLR2004 - (E, d)


def grouped_mlp(x: Any, index: Any, *layers: Any, activation: str = "relu", slope: float = 0.25) -> Any:
    """Fast face of :func:`sparsebench.ops.grouped_mlp` for one dtype, float32 or float64."""
    stack = grouped.check_mlp(x, index, layers, activation, slope)
    check_index("grouped_mlp", index, stack[0].weights.shape[0])
    return apply_layers(x, index, stack, activation, slope)


def apply_layers(
    x: Any,
    index: Any,
    stack: tuple[Layer, ...],
    activation: str = "relu",
    slope: float = 0.0,
    runs: Any = NO_RUNS,
) -> Any:
    """Send rows through the layers of their experts, or give ``NotImplemented``.

    Parameters
    ----------
    x
        Array ``(n, d)``.
    index
        Integer array ``(n,)`` or ``(n, k)``, in range.
    stack, activation, slope
        Layers that fit each other, and what stands between them.
    runs
        How monomials are made of a row (:mod:`sparsebench.ops.polynomial.on_numpy`).
    """
    sizes = [math.prod(layer.weights.shape[1:]) for layer in stack]
    if not takes(2 * index.size * sum(sizes), x, *tables_of(stack)) or max(sizes) > _LARGE:
        return NotImplemented
    weights = tuple(np.ascontiguousarray(layer.weights) for layer in stack)
    biases = tuple(
        np.zeros((1, layer.weights.shape[1]), dtype=x.dtype)
        if layer.bias is None
        else np.ascontiguousarray(layer.bias)
        for layer in stack
    )
    x = np.ascontiguousarray(x)
    out = np.empty((*index.shape, weights[-1].shape[1]), dtype=x.dtype)
    if len(stack) == 1 and out.shape[-1] < _NARROW:
        _by_rows(x, index, runs, weights[0], biases[0], out)
    else:
        _sorted(x, index, runs, weights, biases, activation, slope, out)
    return out


def _by_rows(x: Any, index: Any, runs: Any, weights: Any, bias: Any, out: Any) -> None:
    from sparsebench.ops.grouped import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

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
    from sparsebench.ops.grouped import numba_kernels as kernels  # noqa: PLC0415 - imports Numba
    from sparsebench.ops.grouped.numba_layers import CODES  # noqa: PLC0415
    from sparsebench.ops.jit.dispatch import group  # noqa: PLC0415

    order, bounds = group(index, len(weights[0]))
    many, code, below = math.prod(index.shape[1:]), CODES[activation], x.dtype.type(slope)
    made = out.reshape(index.size, out.shape[-1])
    pool.run(
        lambda start, stop: kernels.through(
            x, many, order, bounds, runs, weights, biases, code, below, made, start, stop
        ),
        pieces(bounds, _PIECE),
    )
