"""One layer of one expert, compiled: weights packed into panels, rows in tiles; and what stands between."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.core.tangents import K_TANH_TABLE
from sparsebench.ops.jit.runtime import inlined
from sparsebench.ops.jit.tiles import ROWS, VECTORS, tile, transpose
from sparsebench.ops.jit.vectors import BYTES

__all__ = ["CODES", "activated", "by_dots", "multiply", "pack"]

CODES = {"relu": 0, "prelu": 1, "swish": 2, "k_tanh": 3}
_PRELU, _SWISH, _K_TANH = 1, 2, 3

_LEVELS = 128  # of a bfloat16 mantissa
_EXPONENTS, _SHIFTS, _OFFSETS = (
    np.array(column, dtype=np.int64) for column in zip(*K_TANH_TABLE, strict=True)
)
_UNITS = 2.0 ** (_EXPONENTS - 127) / _LEVELS


@inlined
def pack(weights: Any, expert: int, panels: Any) -> None:
    """Lay the weights ``(h, d)`` of an expert out as columns, in panels as wide as their tiles."""
    _, outputs, depth = weights.shape
    lanes = BYTES // weights.itemsize
    base = expert * outputs * depth
    first, vectors = 0, -(-outputs // lanes)
    while vectors > 0:
        wide = VECTORS if vectors >= VECTORS else 2 if vectors >= 2 else 1  # noqa: PLR2004
        step = wide * lanes
        for vector in range(wide):
            output = first + vector * lanes
            at = first * depth + vector * lanes
            count = min(lanes, outputs - output)
            if depth >= lanes:
                place = 0
                while place < depth:
                    begin = min(place, depth - lanes)  # the last square overlaps the one before
                    transpose(
                        weights, base + output * depth + begin, depth, count, panels, at + begin * step, step
                    )
                    place += lanes
            else:
                for place in range(depth):
                    for lane in range(lanes):
                        row = output + min(lane, count - 1)
                        panels[at + place * step + lane] = weights[expert, row, place]
        first += step
        vectors -= wide


@inlined
def multiply(
    x: Any, rows: int, depth: int, outputs: int, panels: Any, starts: Any, floor: Any, out: Any
) -> None:
    """Apply a packed layer to the first rows of ``x``; ``out`` is as wide as whole vectors."""
    lanes = BYTES // x.itemsize
    first, vectors = 0, -(-outputs // lanes)
    while vectors > 0:
        if vectors >= VECTORS:
            _column(VECTORS, x, x.shape[1], rows, depth, panels, first, starts, floor, out, out.shape[1])
            wide = VECTORS
        elif vectors >= 2:  # noqa: PLR2004
            _column(2, x, x.shape[1], rows, depth, panels, first, starts, floor, out, out.shape[1])
            wide = 2
        else:
            _column(1, x, x.shape[1], rows, depth, panels, first, starts, floor, out, out.shape[1])
            wide = 1
        first += wide * lanes
        vectors -= wide


@inlined
def _column(
    vectors: int,
    x: Any,
    x_step: int,
    rows: int,
    depth: int,
    panels: Any,
    first: int,
    starts: Any,
    floor: Any,
    out: Any,
    out_step: int,
) -> None:
    """Multiply all rows by one panel: tiles of 6 rows, then of 4, 2 and 1."""
    step = vectors * (BYTES // x.itemsize)
    at, to, panel = 0, first, first * depth
    while rows >= ROWS:
        tile(
            ROWS, vectors, x, at, x_step, depth, panels, panel, step, starts, first, floor, out, to, out_step
        )
        at, to, rows = at + ROWS * x_step, to + ROWS * out_step, rows - ROWS
    if rows >= 4:  # noqa: PLR2004
        tile(4, vectors, x, at, x_step, depth, panels, panel, step, starts, first, floor, out, to, out_step)
        at, to, rows = at + 4 * x_step, to + 4 * out_step, rows - 4
    if rows >= 2:  # noqa: PLR2004
        tile(2, vectors, x, at, x_step, depth, panels, panel, step, starts, first, floor, out, to, out_step)
        at, to, rows = at + 2 * x_step, to + 2 * out_step, rows - 2
    if rows >= 1:
        tile(1, vectors, x, at, x_step, depth, panels, panel, step, starts, first, floor, out, to, out_step)


@inlined
def by_dots(x: Any, rows: int, weights: Any, expert: int, starts: Any, floor: Any, out: Any) -> None:
    """Apply a layer that is not packed: for so few rows that packing would take longer."""
    _, outputs, depth = weights.shape
    for row in range(rows):
        for output in range(outputs):
            total = x.dtype.type(0.0)
            for place in range(depth):
                total += x[row, place] * weights[expert, output, place]
            total += starts[output]
            out[row, output] = max(floor, total)


@inlined
def activated(x: Any, rows: int, width: int, activation: int, slope: Any) -> None:
    """Apply what stands between layers in place; ``relu`` is in the tiles already."""
    one = x.dtype.type(1.0)
    if activation == _PRELU:
        for row in range(rows):
            for column in range(width):
                value = x[row, column]
                x[row, column] = value if value > 0 else slope * value
    elif activation == _SWISH:
        for row in range(rows):
            for column in range(width):
                value = x[row, column]
                x[row, column] = value / (one + math.exp(-value))
    elif activation == _K_TANH:
        for row in range(rows):
            for column in range(width):
                x[row, column] = _k_tanh(x[row, column])


@inlined
def _k_tanh(value: Any) -> Any:
    """See :func:`sparsebench.ops.k_tanh`."""
    size = abs(value)
    if not size >= 0.25:  # noqa: PLR2004 - NaN too
        return value
    if size > 3.75:  # noqa: PLR2004
        return math.copysign(1.0, value)
    if size >= 1.0:
        first, scale = (0, 64.0) if size >= 2.0 else (24, 128.0)  # noqa: PLR2004
    else:
        first, scale = (16, 256.0) if size >= 0.5 else (8, 512.0)  # noqa: PLR2004
    mantissa = np.int64(size * scale) - _LEVELS
    address = first + (mantissa >> 4)
    tangent = ((mantissa >> _SHIFTS[address]) + _OFFSETS[address] + _LEVELS) * _UNITS[address]
    return -tangent if value < 0 else tangent
