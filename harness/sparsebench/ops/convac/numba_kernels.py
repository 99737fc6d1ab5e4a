"""Compiled loops of :mod:`sparsebench.ops.convac.on_numba`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.jit.layers import multiply, pack
from sparsebench.ops.jit.runtime import compiled
from sparsebench.ops.jit.vectors import BYTES

__all__ = ["packed", "windows"]

_BLOCK = 48
"""Windows that are held at once: a multiple of a tile's rows, few enough for the first cache."""


@compiled
def packed(weights: Any) -> Any:
    """Pack ``(window, D, M)`` for tiles: one row for each place."""
    places, channels, width = weights.shape
    lanes = BYTES // weights.itemsize
    panels = np.empty((places, -(-channels // lanes) * lanes * width), dtype=weights.dtype)
    for place in range(places):
        pack(weights, place, panels[place])
    return panels


@compiled
def windows(x: Any, panels: Any, stride: int, out: Any, start: int, stop: int) -> None:
    """Fill windows from ``start`` to ``stop``, counted through all examples.

    Parameters
    ----------
    x
        ``(n, positions, M)``.
    panels
        From :func:`packed`.
    stride
        How far apart windows begin.
    out
        ``(n, P, D)``.
    """
    _, many, channels = out.shape
    width = x.shape[2]
    lanes = BYTES // x.itemsize
    padded = -(-channels // lanes) * lanes
    seen = np.empty((_BLOCK, width), dtype=x.dtype)
    mapped = np.empty((_BLOCK, padded), dtype=x.dtype)
    starts = np.zeros(padded, dtype=x.dtype)
    nothing = x.dtype.type(-math.inf)
    for first in range(start, stop, _BLOCK):
        rows = min(_BLOCK, stop - first)
        for place in range(panels.shape[0]):
            for row in range(rows):
                example, window = (first + row) // many, (first + row) % many
                for column in range(width):
                    seen[row, column] = x[example, window * stride + place, column]
            multiply(seen, rows, width, channels, panels[place], starts, nothing, mapped)
            for row in range(rows):
                example, window = (first + row) // many, (first + row) % many
                for column in range(channels):
                    before = out[example, window, column] if place else x.dtype.type(1.0)
                    out[example, window, column] = before * mapped[row, column]
