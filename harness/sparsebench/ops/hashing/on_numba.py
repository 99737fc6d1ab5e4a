"""Hashes compiled by Numba: products and signs in one pass over the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.hashing import definition
from sparsebench.ops.jit.thresholds import takes

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["hyperplane_hash", "pstable_hash"]

_CHUNK = 1 << 13  # rows of one call of a compiled loop


@definition.hyperplane_hash.on("numba")
def hyperplane_hash(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.hyperplane_hash` for one dtype, float32 or float64."""
    x, planes, offsets = call.x, call.planes, call.offsets
    n, s, k, d = call["n"], call["s"], call["k"], call["d"]
    given = (x, planes) if offsets is None else (x, planes, offsets)
    if not takes(n * 2 * s * k * d, *given):
        return NotImplemented
    from sparsebench.ops.hashing import numba_kernels as kernels  # noqa: PLC0415 - imports Numba
    from sparsebench.ops.jit.vectors import pack  # noqa: PLC0415

    limits = np.zeros(planes.shape[:-1], dtype=x.dtype) if offsets is None else offsets
    # The first plane is the most significant bit, and the first column the least.
    panels, limits = pack(planes[..., ::-1, :].reshape(s * k, d), limits[..., ::-1].reshape(-1))
    x = np.ascontiguousarray(x)
    out = np.empty((n, s), dtype=np.int64)
    ranges = pool.chunks(n, _CHUNK)
    pool.run(lambda start, stop: kernels.signs(x, panels, limits, k, out, start, stop), ranges)
    return out.reshape(n, *planes.shape[:-2])


@definition.pstable_hash.on("numba")
def pstable_hash(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.pstable_hash` for one dtype, float32 or float64."""
    x, directions, offsets, levels = call.x, call.directions, call.offsets, call.levels
    n, s, k, d = call["n"], call["s"], call["k"], call["d"]
    if not takes(n * 2 * s * k * d, x, directions, offsets):
        return NotImplemented
    from sparsebench.ops.hashing import numba_kernels as kernels  # noqa: PLC0415 - imports Numba
    from sparsebench.ops.jit.vectors import pack  # noqa: PLC0415

    panels, first = pack(directions.reshape(s * k, d), offsets.reshape(-1))
    x = np.ascontiguousarray(x)
    out = np.empty((n, s), dtype=np.int64)
    ranges = pool.chunks(n, _CHUNK)
    pool.run(lambda start, stop: kernels.cells(x, panels, first, k, levels, out, start, stop), ranges)
    return out.reshape(n, *directions.shape[:-2])
