"""Compiled loops of :mod:`sparsebench.ops.combining.on_numba`.

All go through the rows from ``start`` to ``stop`` of ``out``, an array ``(n, h)``.
"""

from __future__ import annotations

from typing import Any

from sparsebench.ops.jit.runtime import compiled

__all__ = ["read_out", "sums"]


@compiled
def sums(values: Any, gates: Any, out: Any, start: int, stop: int) -> None:
    """Sum ``values`` ``(n, k, h)`` times ``gates`` ``(n, k)``."""
    for row in range(start, stop):
        out[row] = 0.0
        for place in range(values.shape[1]):
            gate = gates[row, place]
            for column in range(out.shape[1]):
                out[row, column] += gate * values[row, place, column]


@compiled
def read_out(kept: Any, index: Any, table: Any, starts: Any, out: Any, start: int, stop: int) -> None:
    """Sum rows of ``table`` ``(t, h)`` at ``index`` ``(n, k)`` times ``relu`` of ``kept``, and ``starts``."""
    zero = table.dtype.type(0.0)
    for row in range(start, stop):
        out[row] = starts
        for place in range(index.shape[1]):
            record, unit = index[row, place], kept[row, place]
            unit = max(zero, unit)  # NaN stays NaN
            for column in range(out.shape[1]):
                out[row, column] += unit * table[record, column]
