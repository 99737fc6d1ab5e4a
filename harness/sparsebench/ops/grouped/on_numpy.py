"""Grouped layers on NumPy: rows sorted by expert, and one BLAS product for each expert."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import Groups, group, pieces, rows_in_cache, takes
from sparsebench.ops.grouped import definition as grouped
from sparsebench.ops.grouped.layers import Layer, activate, tables_of
from sparsebench.ops.lookup.definition import check_index

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["few", "gather_matmul", "gathered", "grouped_linear", "grouped_mlp", "rows_of", "through_experts"]

_PER_EXPERT = 1 << 12
"""Gathered elements that take as long as the calls of one expert's products."""
_GATHERED = 1 << 16
"""Elements of gathered weights to hold at once."""


def grouped_linear(x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    """Fast face of :func:`sparsebench.ops.grouped_linear` for one dtype, float32 or float64."""
    experts, _, _ = grouped.check_linear(x, index, weights, bias)
    check_index("grouped_linear", index, experts)
    return _apply(x, index, (Layer(weights, bias),), "relu", 0.0)


def gather_matmul(x: Any, index: Any, weights: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.gather_matmul` for one dtype, float32 or float64."""
    layers = grouped.as_layers(x, index, weights)
    check_index("gather_matmul", index, layers.shape[0])
    made = _apply(x, index, (Layer(layers, None),), "relu", 0.0)
    return made if made is NotImplemented or weights.ndim > 2 else made[..., 0]  # noqa: PLR2004 - (E, d)


def grouped_mlp(x: Any, index: Any, *layers: Any, activation: str = "relu", slope: float = 0.25) -> Any:
    """Fast face of :func:`sparsebench.ops.grouped_mlp` for one dtype, float32 or float64."""
    stack = grouped.check_mlp(x, index, layers, activation, slope)
    check_index("grouped_mlp", index, stack[0].weights.shape[0])
    return _apply(x, index, stack, activation, slope)


def _apply(x: Any, index: Any, stack: tuple[Layer, ...], activation: str, slope: float) -> Any:
    tables = tables_of(stack)
    if not takes(x, *tables):
        return NotImplemented
    out = np.empty((*index.shape, stack[-1].weights.shape[1]), dtype=x.dtype)
    record = sum(math.prod(table.shape[1:]) for table in tables)
    if few(index, record, len(tables[0])):
        layers = [table for layer in stack for table in layer]
        gathered(
            lambda part: grouped.grouped_mlp.reference(
                x[part], index[part], *layers, activation=activation, slope=slope
            ),
            index,
            record,
            out,
        )
    else:
        many = math.prod(index.shape[1:])
        through_experts(
            lambda at: np.take(x, rows_of(at, many), axis=0), index, stack, activation, slope, out
        )
    return out


def rows_of(places: Any, many: int) -> Any:
    """Give the rows that flat addresses belong to, of which a row has ``many``."""
    return places if many == 1 else places // many


def few(index: Any, record: int, experts: int) -> bool:
    """Tell whether experts have so few and so short rows that it is faster to look up the weights of each."""
    return bool(index.size * record <= _PER_EXPERT * min(index.size, experts))


def gathered(reference: Callable[[slice], Any], index: Any, record: int, out: Any) -> None:
    """Fill ``out`` by a reference that looks weights up, a few rows at a time.

    Parameters
    ----------
    reference
        Makes the rows of a slice.
    index
        Integer array ``(n,)`` or ``(n, k)``.
    record
        Weights of one address.
    out
        Array of n rows.
    """

    def run(start: int, stop: int) -> None:
        part = slice(start, stop)
        out[part] = reference(part)

    rows = max(1, _GATHERED // max(1, record * math.prod(index.shape[1:])))
    pool.run(run, pool.chunks(len(index), rows))


def through_experts(
    read: Callable[[Any], Any],
    index: Any,
    stack: tuple[Layer, ...],
    activation: str,
    slope: float,
    out: Any,
) -> None:
    """Send rows through the layers of their experts.

    Parameters
    ----------
    read
        Makes the inputs ``(p, d)`` of flat addresses ``(p,)``.
    index
        Integer array with values in ``[0, E)``.
    stack, activation, slope
        Layers of one dtype, and what stands between them.
    out
        Contiguous array ``(*index.shape, h)``.
    """
    dense = [Layer(np.ascontiguousarray(layer.weights), layer.bias) for layer in stack]
    groups = group(index, len(dense[0].weights))
    flat = out.reshape(index.size, out.shape[-1])
    width = sum(layer.weights.shape[1] for layer in dense) + dense[0].weights.shape[2]

    def run(start: int, stop: int) -> None:
        places = groups.order[start:stop]
        parts = _parts(groups, start, stop)
        block = read(places)
        for number, layer in enumerate(dense):
            if number:
                block = (
                    np.maximum(block, 0, out=block)
                    if activation == "relu"
                    else activate(activation, slope, block)
                )
            block = _layer(block, parts, layer)
        flat[places] = block

    pool.run(run, pieces(groups.bounds, rows_in_cache(width, out.itemsize)))


def _parts(groups: Groups, start: int, stop: int) -> list[tuple[int, int, int]]:
    """List the experts of a piece, and between which of its rows theirs are."""
    first = int(np.searchsorted(groups.bounds, start, side="right")) - 1
    last = int(np.searchsorted(groups.bounds, stop, side="left"))
    bounds = (np.clip(groups.bounds[first : last + 1], start, stop) - start).tolist()
    spans = enumerate(itertools.pairwise(bounds), start=first)
    return [(expert, begin, end) for expert, (begin, end) in spans if begin < end]


def _layer(block: Any, parts: list[tuple[int, int, int]], layer: Layer) -> Any:
    """Apply one layer of several experts."""
    made = np.empty((len(block), layer.weights.shape[1]), dtype=block.dtype)
    for expert, begin, end in parts:
        part = made[begin:end]
        np.matmul(block[begin:end], layer.weights[expert].T, out=part)
        if layer.bias is not None:
            np.add(part, layer.bias[expert], out=part)
    return made
