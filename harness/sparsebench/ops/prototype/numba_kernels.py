"""Compiled loops of :mod:`sparsebench.ops.prototype.on_numba`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.jit.panels import TILED, keep_least
from sparsebench.ops.jit.runtime import compiled

__all__ = ["nearest", "nearest_child"]


@compiled
def nearest(
    x: Any, panels: Any, starts: Any, tolerance: Any, out: Any, unsure: Any, start: int, stop: int
) -> None:
    """Find the prototype of the least score ``starts + x @ panels`` for the rows from ``start`` to ``stop``.

    Parameters
    ----------
    x
        Array ``(n, d)``, contiguous.
    panels, starts
        As ``vectors.pack`` lays them out; ``starts`` is infinite beyond the last column.
    tolerance
        How near a second score may come, for every row from ``start`` on.
    out
        int64 ``(n,)``.
    unsure
        Truth ``(n,)``: written where a second one came as near, or where the least is not finite.
    start, stop
        Rows.
    """
    blocks, width = starts.shape
    best, second = np.empty((TILED, width), dtype=x.dtype), np.empty((TILED, width), dtype=x.dtype)
    where = np.empty((TILED, width), dtype=np.int32)
    for row in range(start, stop, TILED):
        rows = min(TILED, stop - row)
        best[:] = np.inf
        second[:] = np.inf
        where[:] = 0
        for block in range(blocks):
            keep_least(x, row, rows, panels, block, starts, best, second, where)
        for i in range(rows):
            column = best[i].argmin()
            limit = best[i, column] + tolerance[row + i - start]
            near = 0
            for other in range(width):
                near += (best[i, other] <= limit) + (second[i, other] <= limit)
            out[row + i] = np.int64(where[i, column]) * width + column
            unsure[row + i] = near != 1 or not limit < np.inf


@compiled
def nearest_child(x: Any, points: Any, arity: int, depth: int, out: Any, start: int, stop: int) -> None:
    """Descend a tree of points, breadth-first ``(v + v^2 + ..., d)``; ``x`` is ``(n, d)``, ``out`` int64."""
    d = x.shape[1]
    for row in range(start, stop):
        leaf, first, many = 0, 0, 1
        for _ in range(depth):
            many *= arity
            base = first + leaf * arity
            chosen, least = 0, x.dtype.type(np.inf)
            for child in range(arity):
                total = x.dtype.type(0.0)
                for j in range(d):
                    difference = x[row, j] - points[base + child, j]
                    total += difference * difference
                # As argmin does: the first of the least, but NaN before all numbers.
                if child == 0 or total < least or (np.isnan(total) and not np.isnan(least)):
                    chosen, least = child, total
            leaf = leaf * arity + chosen
            first += many
        out[row] = leaf
