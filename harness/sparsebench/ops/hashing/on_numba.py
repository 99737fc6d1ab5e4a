"""Hashes compiled by Numba: products and signs in one pass over the rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.hashing import definition as hashing
from sparsebench.ops.jit.worth import takes

__all__ = ["hyperplane_hash", "pstable_hash"]

_CHUNK = 1 << 13  # rows of one call of a compiled loop


def hyperplane_hash(x: Any, planes: Any, offsets: Any = None) -> Any:
    """Fast face of :func:`sparsebench.ops.hyperplane_hash` for one dtype, float32 or float64."""
    hashing.check_planes(x, planes, offsets)
    given = (x, planes) if offsets is None else (x, planes, offsets)
    if not takes(x.shape[0] * 2 * math.prod(planes.shape), *given):
        return NotImplemented
    from sparsebench.ops.hashing import numba_kernels as kernels  # noqa: PLC0415 - imports Numba
    from sparsebench.ops.jit.vectors import pack  # noqa: PLC0415

    k, d = planes.shape[-2:]
    limits = np.zeros(planes.shape[:-1], dtype=x.dtype) if offsets is None else offsets
    # The first plane is the most significant bit, and the first column the least.
    panels, limits = pack(planes[..., ::-1, :].reshape(-1, d), limits[..., ::-1].reshape(-1))
    x = np.ascontiguousarray(x)
    out = np.empty((x.shape[0], math.prod(planes.shape[:-2])), dtype=np.int64)
    ranges = pool.chunks(x.shape[0], _CHUNK)
    pool.run(lambda start, stop: kernels.signs(x, panels, limits, k, out, start, stop), ranges)
    return out.reshape(x.shape[0], *planes.shape[:-2])


def pstable_hash(x: Any, directions: Any, offsets: Any, *, levels: int) -> Any:
    """Fast face of :func:`sparsebench.ops.pstable_hash` for one dtype, float32 or float64."""
    hashing.check_directions(x, directions, offsets, levels)
    work = x.shape[0] * 2 * math.prod(directions.shape)
    if not takes(work, x, directions, offsets):
        return NotImplemented
    from sparsebench.ops.hashing import numba_kernels as kernels  # noqa: PLC0415 - imports Numba
    from sparsebench.ops.jit.vectors import pack  # noqa: PLC0415

    k, d = directions.shape[-2:]
    panels, first = pack(directions.reshape(-1, d), offsets.reshape(-1))
    x = np.ascontiguousarray(x)
    out = np.empty((x.shape[0], math.prod(directions.shape[:-2])), dtype=np.int64)
    ranges = pool.chunks(x.shape[0], _CHUNK)
    pool.run(lambda start, stop: kernels.cells(x, panels, first, k, levels, out, start, stop), ranges)
    return out.reshape(x.shape[0], *directions.shape[:-2])
