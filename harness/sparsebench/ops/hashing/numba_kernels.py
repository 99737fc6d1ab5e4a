"""Compiled loops of :mod:`sparsebench.ops.hashing.on_numba`."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.jit.panels import TILED, project, sides
from sparsebench.ops.jit.runtime import compiled

__all__ = ["cells", "signs"]


@compiled
def signs(x: Any, panels: Any, limits: Any, planes: int, out: Any, start: int, stop: int) -> None:
    """Hash the rows from ``start`` to ``stop``.

    Parameters
    ----------
    x
        Array ``(n, d)``, contiguous.
    panels, limits
        All planes of all tables as ``vectors.pack`` lays them out, a table's last plane first.
    planes
        How many a table has, 1 to 62.
    out
        int64 ``(n, s)``.
    start, stop
        Rows.
    """
    blocks, width = limits.shape
    tables = out.shape[1]
    above = np.empty(TILED, dtype=np.uint64)
    codes = np.zeros((TILED, tables), dtype=np.uint64)
    mask = (np.uint64(1) << np.uint64(planes)) - np.uint64(1)
    for row in range(start, stop, TILED):
        rows = min(TILED, stop - row)
        codes[:] = np.uint64(0)
        for block in range(blocks):
            sides(x, row, rows, panels, block, limits, above)
            first = block * width
            for table in range(first // planes, min(tables, (first + width - 1) // planes + 1)):
                shift = table * planes - first
                if shift >= 0:
                    for i in range(rows):
                        codes[i, table] |= (above[i] >> np.uint64(shift)) & mask
                else:
                    for i in range(rows):
                        codes[i, table] |= (above[i] << np.uint64(-shift)) & mask
        for i in range(rows):
            for table in range(tables):
                out[row + i, table] = np.int64(codes[i, table])


@compiled
def cells(
    x: Any, panels: Any, offsets: Any, directions: int, levels: int, out: Any, start: int, stop: int
) -> None:
    """Hash the rows from ``start`` to ``stop`` by the cells that their projections fall into.

    Parameters
    ----------
    x, panels, offsets, out, start, stop
        As for :func:`signs`; a table's first direction comes first.
    directions
        How many a table has.
    levels
        Number of cells of a direction, at most 2**53.
    """
    blocks, width = offsets.shape
    tables = out.shape[1]
    projected = np.empty((TILED, width), dtype=x.dtype)
    top = np.float64(levels - 1)
    for row in range(start, stop, TILED):
        rows = min(TILED, stop - row)
        out[row : row + rows] = 0
        for block in range(blocks):
            project(x, row, rows, panels, block, offsets, projected)
            first = block * width
            for table in range(first // directions, min(tables, (first + width - 1) // directions + 1)):
                begin = max(table * directions - first, 0)
                end = min((table + 1) * directions - first, width)
                for i in range(rows):
                    address = out[row + i, table]
                    for column in range(begin, end):
                        value = np.float64(projected[i, column])
                        # NaN is not above zero either, and falls into the first cell.
                        cell = np.int64(min(value, top)) if value > 0.0 else np.int64(0)
                        address = address * levels + cell
                    out[row + i, table] = address
