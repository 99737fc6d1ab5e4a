"""Stretches of rows times one panel: tiles, and single rows for the rest."""

from __future__ import annotations

from typing import Any

from sparsebench.ops.jit.runtime import inlined
from sparsebench.ops.jit.vectors import BYTES, ROWS, WIDE, least_tile, sign_tile, store_tile

__all__ = ["TILED", "keep_least", "project", "sides"]

TILED = 24
"""Rows that stay in the first cache while panels pass by: whole tiles of every processor."""


@inlined
def project(x: Any, row: int, rows: int, panels: Any, block: int, starts: Any, out: Any) -> None:
    """Write ``out[:rows] = starts[block] + x[row : row + rows] @ panels[block]``."""
    narrow = panels.shape[2] * x.itemsize == BYTES
    at = 0
    while at + ROWS <= rows:
        if narrow:
            store_tile(ROWS, 1, x, row + at, panels, block, starts, out, at)
        else:
            store_tile(ROWS, WIDE, x, row + at, panels, block, starts, out, at)
        at += ROWS
    while at < rows:
        if narrow:
            store_tile(1, 1, x, row + at, panels, block, starts, out, at)
        else:
            store_tile(1, WIDE, x, row + at, panels, block, starts, out, at)
        at += 1


@inlined
def sides(x: Any, row: int, rows: int, panels: Any, block: int, limits: Any, out: Any) -> None:
    """Write to ``out[:rows]``, as bits, which of ``x[row : row + rows] @ panels[block]`` are above limits."""
    narrow = panels.shape[2] * x.itemsize == BYTES
    at = 0
    while at + ROWS <= rows:
        if narrow:
            sign_tile(ROWS, 1, x, row + at, panels, block, limits, out, at)
        else:
            sign_tile(ROWS, WIDE, x, row + at, panels, block, limits, out, at)
        at += ROWS
    while at < rows:
        if narrow:
            sign_tile(1, 1, x, row + at, panels, block, limits, out, at)
        else:
            sign_tile(1, WIDE, x, row + at, panels, block, limits, out, at)
        at += 1


@inlined
def keep_least(
    x: Any, row: int, rows: int, panels: Any, block: int, starts: Any, least: Any, second: Any, where: Any
) -> None:
    """Keep the least of ``starts + x[row : row + rows] @ panels`` of all blocks so far, column by column."""
    narrow = panels.shape[2] * x.itemsize == BYTES
    at = 0
    while at + ROWS <= rows:
        if narrow:
            least_tile(ROWS, 1, x, row + at, panels, block, starts, least, second, where, at)
        else:
            least_tile(ROWS, WIDE, x, row + at, panels, block, starts, least, second, where, at)
        at += ROWS
    while at < rows:
        if narrow:
            least_tile(1, 1, x, row + at, panels, block, starts, least, second, where, at)
        else:
            least_tile(1, WIDE, x, row + at, panels, block, starts, least, second, where, at)
        at += 1
