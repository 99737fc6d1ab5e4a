"""Gated sums and masked read-outs compiled by Numba."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.combining import definition as combining
from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.worth import takes
from sparsebench.ops.selection.definition import top_k

__all__ = ["segment_combine", "top_k_mask_linear"]

_CHUNK = 1 << 12  # rows of one call of a compiled loop


def segment_combine(values: Any, gates: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.segment_combine` for one dtype, float32 or float64."""
    combining.check_combine(values, gates)
    if not takes(2 * values.size, values, gates):
        return NotImplemented
    from sparsebench.ops.combining import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    n, many = gates.shape
    records = np.ascontiguousarray(values.reshape(n, many, math.prod(values.shape[2:])))
    weights = np.ascontiguousarray(gates)
    out = np.empty((n, records.shape[2]), dtype=values.dtype)
    pool.run(lambda start, stop: kernels.sums(records, weights, out, start, stop), pool.chunks(n, _CHUNK))
    return out.reshape(n, *values.shape[2:])


def top_k_mask_linear(preactivations: Any, readout: Any, bias: Any = None, *, k: int) -> Any:
    """Fast face of :func:`sparsebench.ops.top_k_mask_linear` for one dtype, float32 or float64."""
    combining.check_mask(preactivations, readout, bias, k)
    n, width = preactivations.shape
    outputs = math.prod(readout.shape[1:])
    given = (preactivations, readout) if bias is None else (preactivations, readout, bias)
    if not takes(2 * n * k * outputs, *given):
        return NotImplemented
    from sparsebench.ops.combining import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    kept, index = top_k(preactivations, k)
    kept, index = np.ascontiguousarray(kept), np.ascontiguousarray(index)
    table = np.ascontiguousarray(readout.reshape(width, outputs))
    starts = (
        np.zeros(outputs, dtype=table.dtype) if bias is None else np.ascontiguousarray(bias.reshape(outputs))
    )
    out = np.empty((n, outputs), dtype=table.dtype)
    pool.run(
        lambda start, stop: kernels.read_out(kept, index, table, starts, out, start, stop),
        pool.chunks(n, _CHUNK),
    )
    return out.reshape(n, *readout.shape[1:])
