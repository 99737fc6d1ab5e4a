"""Rows sorted by expert, and one BLAS product for each expert; or a few weights looked up for each row."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.layers import Layer
from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import Groups, group, pieces, rows_in_cache

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["few", "gathered", "rows_of", "through_experts"]

_PER_EXPERT = 1 << 12
"""Gathered elements that take as long as the calls of one expert's products."""
_GATHERED = 1 << 16
"""Elements of gathered weights to hold at once."""


def rows_of(places: Any, many: int) -> Any:
    """Return the rows that flat addresses belong to, of which a row has ``many``."""
    return places if many == 1 else places // many


def few(index: Any, record: int, experts: int) -> bool:
    """Return whether experts have so few and so short rows that looking up the weights of each is faster."""
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
    between: Callable[[Any], Any],
    out: Any,
) -> None:
    """Send rows through the layers of their experts.

    Parameters
    ----------
    read
        Makes the inputs ``(p, d)`` of flat addresses ``(p,)``.
    index
        Integer array with values in ``[0, E)``.
    stack
        Layers of one dtype.
    between
        What stands between two of them; it may work in place.
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
                block = between(block)
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
