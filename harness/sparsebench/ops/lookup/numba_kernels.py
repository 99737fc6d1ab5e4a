"""Compiled loops of :mod:`sparsebench.ops.lookup.on_numba`."""

from __future__ import annotations

from typing import Any

from sparsebench.ops.jit.runtime import compiled

__all__ = ["constants"]


@compiled
def constants(index: Any, table: Any, gates: Any, out: Any, start: int, stop: int) -> None:
    """Sum rows of ``table`` ``(E, h)`` at ``index`` ``(n, k)``, times ``gates`` ``(n, k)`` or ``(1, k)``.

    This goes through the rows from ``start`` to ``stop`` of ``out``, an array ``(n, h)``.
    """
    for row in range(start, stop):
        out[row] = 0.0
        gated = min(row, gates.shape[0] - 1)
        for place in range(index.shape[1]):
            record, gate = index[row, place], gates[gated, place]
            for column in range(out.shape[1]):
                out[row, column] += gate * table[record, column]
