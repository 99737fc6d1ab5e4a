"""Nearest prototypes compiled by Numba: products and the least of them in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.thresholds import takes
from sparsebench.ops.prototype import definition
from sparsebench.ops.prototype.on_numpy import Prototypes

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["nearest_in_tree", "nearest_prototype"]

_CHUNK = 1 << 10  # rows of one call of a compiled loop
_INT32 = 2**31


@definition.nearest_prototype.on("numba")
def nearest_prototype(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.nearest_prototype` for one dtype, float32 or float64."""
    x, prototypes, n, many = call.x, call.prototypes, call["n"], call["N"]
    if many >= _INT32 or not takes(3 * n * many * call["d"], x, prototypes):
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


@definition.nearest_in_tree.on("numba")
def nearest_in_tree(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.nearest_in_tree` for one dtype, float32 or float64."""
    x, arity, depth = call.x, call.arity, call["depth"]
    if not takes(3 * x.size * arity * depth, x, call.prototypes):
        return NotImplemented
    from sparsebench.ops.prototype import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    x, points = np.ascontiguousarray(x), np.ascontiguousarray(call.prototypes)
    out = np.empty(len(x), dtype=np.int64)
    ranges = pool.chunks(len(x), _CHUNK)
    pool.run(lambda start, stop: kernels.nearest_child(x, points, arity, depth, out, start, stop), ranges)
    return out
