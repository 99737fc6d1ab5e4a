"""The compiled loops of :mod:`sparsebench.ops.jit.experts`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.jit.layers import activated, by_dots, multiply, pack
from sparsebench.ops.jit.runtime import compiled, inlined
from sparsebench.ops.jit.tiles import LINE, move, prefetch
from sparsebench.ops.jit.vectors import BYTES

__all__ = ["by_rows", "through"]

_BLOCK = 48
"""Rows that go through all layers before the next: a multiple of a tile's, few enough for the first cache."""
_FEW = 2
"""Rows of an expert for which weights are not packed."""


@inlined
def _copy(x: Any, row: int, width: int, out: Any, to: int) -> None:
    """Copy the first numbers of a row, in vectors; to reshape an array would take longer."""
    lanes = BYTES // x.itemsize
    whole = width - width % lanes
    for place in range(0, whole, lanes):
        move(x, row * x.shape[1] + place, out, to * out.shape[1] + place)
    for place in range(whole, width):
        out[to, place] = x[row, place]


@inlined
def _expand(x: Any, row: int, runs: Any, out: Any, to: int) -> None:
    """Copy a row; or, where there are runs, write the monomials that they describe."""
    if runs.shape[0] == 0:
        _copy(x, row, x.shape[1], out, to)
        return
    out[to, 0] = 1.0
    for number in range(runs.shape[0]):
        feature, begin, length, end = runs[number, 0], runs[number, 1], runs[number, 2], runs[number, 3]
        value = x[row, feature]
        for place in range(length):
            out[to, end + place] = value * out[to, begin + place]


@inlined
def _ask(table: Any, row: int, write: int) -> None:
    """Ask memory for a row."""
    width = table.shape[1]
    for place in range(0, width, LINE // table.itemsize):
        if write:
            prefetch(table, row * width + place, 1)
        else:
            prefetch(table, row * width + place, 0)


@inlined
def _sizes(x: Any, weights: Any) -> tuple[int, int]:
    """Count the most numbers that a row has on its way, in whole vectors, and those of the largest panels."""
    lanes = BYTES // x.itemsize
    widest, held = weights[0].shape[2], 0
    for layer in range(len(weights)):
        padded = -(-weights[layer].shape[1] // lanes) * lanes
        widest = max(widest, padded)
        held = max(held, padded * weights[layer].shape[2])
    return widest, held


@inlined
def _prepare(weights: Any, biases: Any, expert: int, rows: int, panels: Any, starts: Any) -> None:
    """Lay out all layers of an expert that so many rows go to."""
    for layer in range(len(weights)):
        if rows > _FEW:
            pack(weights[layer], expert, panels[layer])
        bias = biases[layer]
        record = min(expert, bias.shape[0] - 1)
        for column in range(bias.shape[1]):
            starts[layer, column] = bias[record, column]


@compiled
def through(
    x: Any,
    many: int,
    order: Any,
    bounds: Any,
    runs: Any,
    weights: Any,
    biases: Any,
    activation: int,
    slope: Any,
    out: Any,
    start: int,
    stop: int,
) -> None:
    """Send a stretch of sorted addresses through the layers of their experts.

    Parameters
    ----------
    x, many
        Rows ``(n, d)``, and addresses of each.
    order, bounds
        As ``dispatch.group`` gives them.
    runs
        int64 ``(r, 4)``: how the first layer's inputs are made of a row; none: they are the row.
    weights, biases
        Tuples of ``(E, h, d)`` and ``(E, h)``, or ``(1, h)`` for all experts.
    activation, slope
        One of ``layers.CODES``, and a number of the dtype.
    out
        ``(n * many, h)``.
    start, stop
        Places in ``order``.
    """
    widest, held = _sizes(x, weights)
    panels = np.empty((len(weights), held), dtype=x.dtype)
    starts = np.zeros((len(weights), widest), dtype=x.dtype)
    one = np.empty((_BLOCK, widest), dtype=x.dtype)
    two = np.empty((_BLOCK, widest), dtype=x.dtype)
    expert = np.searchsorted(bounds, start, side="right") - 1
    at = asked = start
    while at < stop:
        while bounds[expert + 1] <= at:
            expert += 1
        end = min(stop, bounds[expert + 1])
        packed = end - at > _FEW
        _prepare(weights, biases, expert, end - at, panels, starts)
        while at < end:
            rows = min(_BLOCK, end - at)
            # Rows come in no order: memory is asked for those of the next block while this one is multiplied.
            ahead = min(stop, at + rows + _BLOCK)
            while asked < ahead:
                _ask(x, order[asked] // many, 0)
                asked += 1
            for row in range(rows):
                _ask(out, order[at + row], 1)
                _expand(x, order[at + row] // many, runs, one, row)
            block, made = one, two
            for layer in range(len(weights)):
                last = layer == len(weights) - 1
                floor = x.dtype.type(0.0 if activation == 0 and not last else -math.inf)
                _, height, depth = weights[layer].shape
                if packed:
                    multiply(block, rows, depth, height, panels[layer], starts[layer], floor, made)
                else:
                    by_dots(block, rows, weights[layer], expert, starts[layer], floor, made)
                if not last:
                    activated(made, rows, height, activation, slope)
                block, made = made, block
            for row in range(rows):
                _copy(block, row, out.shape[1], out, order[at + row])
            at += rows


@compiled
def by_rows(x: Any, index: Any, runs: Any, weights: Any, bias: Any, out: Any, start: int, stop: int) -> None:
    """Apply the layer of each address to its row, one after the other: for layers of few outputs.

    ``index`` is int64 ``(n, k)``, ``weights`` ``(E, h, d)``, ``bias`` ``(E, h)`` or ``(1, h)``, ``out``
    ``(n, k, h)``; the others are as for :func:`through`.
    """
    _, outputs, depth = weights.shape
    inputs = np.empty((1, depth), dtype=x.dtype)
    for row in range(start, stop):
        _expand(x, row, runs, inputs, 0)
        for place in range(index.shape[1]):
            expert = index[row, place]
            record = min(expert, bias.shape[0] - 1)
            for output in range(outputs):
                total = x.dtype.type(0.0)
                for column in range(depth):
                    total += inputs[0, column] * weights[expert, output, column]
                out[row, place, output] = total + bias[record, output]
