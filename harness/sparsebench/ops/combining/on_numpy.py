"""Gated sums and masked read-outs on NumPy, in chunks of rows that stay in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.combining import definition
from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import rows_in_cache, takes
from sparsebench.ops.selection.definition import top_k

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["segment_combine", "top_k_mask_linear"]

_DENSE = 24
"""Gathering a row of the read-out takes as long as multiplying so many of them where they lie."""


@definition.segment_combine.on("numpy")
def segment_combine(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.segment_combine` for one dtype, float32 or float64."""
    values, gates = call.values, call.gates
    if not takes(values, gates):
        return NotImplemented
    n, many, width = call["n"], call["k"], call["h"]
    records = values.reshape(n, many, width)
    out = np.zeros((n, width), dtype=values.dtype)

    def run(start: int, stop: int) -> None:
        for number in range(many):
            part = records[start:stop, number] * gates[start:stop, number, None]
            np.add(out[start:stop], part, out=out[start:stop])

    pool.run(run, pool.chunks(n, rows_in_cache((many + 2) * width, out.itemsize)))
    return out.reshape(n, *values.shape[2:])


@definition.top_k_mask_linear.on("numpy")
def top_k_mask_linear(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.top_k_mask_linear` for one dtype, float32 or float64."""
    preactivations, readout, bias, k = call.preactivations, call.readout, call.bias, call.k
    if not takes(preactivations, readout, bias):
        return NotImplemented
    n, width = call["n"], call["t"]
    table = np.ascontiguousarray(readout.reshape(width, call["o"]))
    out = np.empty((n, table.shape[1]), dtype=table.dtype)
    # Zero times what is not finite is not zero: such read-outs are not multiplied whole.
    dense = width <= _DENSE * k and table.shape[1] > 1 and bool(np.isfinite(table).all())

    def run(start: int, stop: int) -> None:
        kept, index = top_k(preactivations[start:stop], k)
        kept = np.maximum(kept, 0)
        if dense:
            units = np.zeros((stop - start, width), dtype=kept.dtype)
            np.put_along_axis(units, index, kept, axis=1)
            made = units @ table
        else:
            made = np.matmul(kept[:, None, :], table[index])[:, 0, :]
        out[start:stop] = made if bias is None else made + bias

    held = 3 * width + (0 if dense else k * table.shape[1])
    pool.run(run, pool.chunks(n, rows_in_cache(held, out.itemsize)))
    return out.reshape(n, *readout.shape[1:])
