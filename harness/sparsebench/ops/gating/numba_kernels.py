"""Compiled loops of :mod:`sparsebench.ops.gating.on_numba`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.jit.panels import TILED, project
from sparsebench.ops.jit.runtime import compiled, inlined

__all__ = ["gate"]


@inlined
def _keys(logits: Any, bits: Any, keys: Any) -> None:
    """Write integers that are ordered as the logits are, NaN least: the greatest is found in vectors then.

    The bits of a positive number are ordered as it is, those of a negative one in reverse. ``bits`` are those
    of ``logits``, which may be changed from -0 to 0.
    """
    most = np.iinfo(keys.dtype).max
    for expert in range(logits.shape[0]):
        logits[expert] += logits.dtype.type(0.0)
        known = bits[expert]
        ordered = known if known >= 0 else known ^ most
        keys[expert] = ordered if logits[expert] == logits[expert] else -most


@inlined
def _first_largest(keys: Any) -> Any:
    """Find the first of the greatest."""
    most = keys[0]
    for place in range(1, keys.shape[0]):
        most = max(most, keys[place])
    first = np.int32(keys.shape[0])
    for place in range(keys.shape[0]):
        first = min(first, np.int32(place) if keys[place] == most else first)
    return np.int64(first)


@inlined
def _softmax(gates: Any) -> None:
    """Replace logits, the largest first, by their softmax; NaN, which comes last, follows from NaN."""
    largest, total = gates[0], gates.dtype.type(0.0)
    for place in range(gates.shape[0]):
        gates[place] = math.exp(gates[place] - largest)
        total += gates[place]
    for place in range(gates.shape[0]):
        gates[place] /= total


@compiled
def gate(
    x: Any, panels: Any, bias: Any, many: int, experts: Any, gates: Any, integers: Any, start: int, stop: int
) -> None:
    """Gate the rows from ``start`` to ``stop``.

    Parameters
    ----------
    x
        Array ``(n, d)``, contiguous.
    panels, bias
        The weights of ``many`` experts and what is added, as ``vectors.pack`` lays them out.
    many
        Number of experts.
    experts, gates
        int64 and real ``(n, k)``: written.
    integers
        Any array of integers as wide as the numbers of ``x``.
    start, stop
        Rows.
    """
    blocks, width = bias.shape
    logits = np.empty((TILED, width), dtype=x.dtype)
    bits = logits.view(integers.dtype)
    keys = np.empty((TILED, blocks * width), dtype=integers.dtype)
    values = np.empty((TILED, blocks * width), dtype=x.dtype)
    taken = np.iinfo(integers.dtype).min  # less than the key of any logit
    for row in range(start, stop, TILED):
        rows = min(TILED, stop - row)
        for block in range(blocks):
            project(x, row, rows, panels, block, bias, logits)
            first = block * width
            for i in range(rows):
                _keys(logits[i], bits[i], keys[i, first : first + width])
                for column in range(width):
                    values[i, first + column] = logits[i, column]
        for i in range(rows):
            for place in range(experts.shape[1]):
                expert = _first_largest(keys[i, :many])
                keys[i, expert] = taken
                experts[row + i, place] = expert
                gates[row + i, place] = values[i, expert]
            _softmax(gates[row + i])
