"""Nearest prototypes compiled by Numba: products and the least of them in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.worth import takes
from sparsebench.ops.prototype import definition as prototype
from sparsebench.ops.prototype.on_numpy import Prototypes

__all__ = ["nearest_in_tree", "nearest_prototype"]

_CHUNK = 1 << 10  # rows of one call of a compiled loop
_INT32 = 2**31


def nearest_prototype(x: Any, prototypes: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.nearest_prototype` for one dtype, float32 or float64."""
    n, many, d = prototype.check_prototypes(x, prototypes)
    if many >= _INT32 or not takes(3 * n * many * d, x, prototypes):
        return NotImplemented
    from sparsebench.ops.jit.vectors import pack  # noqa: PLC0415
    from sparsebench.ops.prototype import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    known = Prototypes(prototypes)
    panels, starts = pack(known.doubled, known.squares)
    starts.reshape(-1)[many:] = np.inf
    x = np.ascontiguousarray(x)
    out, unsure = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.bool_)

    def search(start: int, stop: int) -> None:
        tolerance = known.tolerance(x[start:stop])
        kernels.nearest(x, panels, starts, tolerance, out, unsure, start, stop)
        rows = start + np.flatnonzero(unsure[start:stop])
        if len(rows):
            out[rows] = known.nearest(x[rows])

    pool.run(search, pool.chunks(n, _CHUNK))
    return out


def nearest_in_tree(x: Any, prototypes: Any, *, arity: int) -> Any:
    """Fast face of :func:`sparsebench.ops.nearest_in_tree` for one dtype, float32 or float64."""
    depth = prototype.tree_depth(x, prototypes, arity)
    if not takes(3 * x.size * arity * depth, x, prototypes):
        return NotImplemented
    from sparsebench.ops.prototype import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    x, points = np.ascontiguousarray(x), np.ascontiguousarray(prototypes)
    out = np.empty(len(x), dtype=np.int64)
    ranges = pool.chunks(len(x), _CHUNK)
    pool.run(lambda start, stop: kernels.nearest_child(x, points, arity, depth, out, start, stop), ranges)
    return out
