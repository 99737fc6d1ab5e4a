"""Gated sums and masked read-outs compiled by Numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.combining import definition
from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.thresholds import takes
from sparsebench.ops.selection.definition import top_k

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["segment_combine", "top_k_mask_linear"]

_CHUNK = 1 << 12  # rows of one call of a compiled loop


@definition.segment_combine.on("numba")
def segment_combine(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.segment_combine` for one dtype, float32 or float64."""
    values, gates = call.values, call.gates
    if not takes(2 * values.size, values, gates):
        return NotImplemented
    from sparsebench.ops.combining import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    n, width = call["n"], call["h"]
    records = np.ascontiguousarray(values.reshape(n, call["k"], width))
    weights = np.ascontiguousarray(gates)
    out = np.empty((n, width), dtype=values.dtype)
    pool.run(lambda start, stop: kernels.sums(records, weights, out, start, stop), pool.chunks(n, _CHUNK))
    return out.reshape(n, *values.shape[2:])


@definition.top_k_mask_linear.on("numba")
def top_k_mask_linear(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.top_k_mask_linear` for one dtype, float32 or float64."""
    preactivations, readout, bias, k = call.preactivations, call.readout, call.bias, call.k
    n, outputs = call["n"], call["o"]
    given = (preactivations, readout) if bias is None else (preactivations, readout, bias)
    if not takes(2 * n * k * outputs, *given):
        return NotImplemented
    from sparsebench.ops.combining import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    kept, index = top_k(preactivations, k)
    kept, index = np.ascontiguousarray(kept), np.ascontiguousarray(index)
    table = np.ascontiguousarray(readout.reshape(call["t"], outputs))
    starts = (
        np.zeros(outputs, dtype=table.dtype) if bias is None else np.ascontiguousarray(bias.reshape(outputs))
    )
    out = np.empty((n, outputs), dtype=table.dtype)
    pool.run(
        lambda start, stop: kernels.read_out(kept, index, table, starts, out, start, stop),
        pool.chunks(n, _CHUNK),
    )
    return out.reshape(n, *readout.shape[1:])
