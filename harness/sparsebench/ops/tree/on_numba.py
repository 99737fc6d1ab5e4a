"""Descents of trees compiled by Numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.thresholds import takes
from sparsebench.ops.tree import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["axis_tree_route", "oblique_tree_route", "searchsorted_route", "tree_route"]

_CHUNK = 1 << 13  # rows of one call of a compiled loop
_STEP = 4  # scalar operations that one level of a descent is as slow as
_INT32 = 2**31


@definition.tree_route.on("numba")
def tree_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.tree_route` for one dtype, float32 or float64."""
    key, thresholds, depth = call.key, call.thresholds, call["depth"]
    if not takes(key.size * depth * _STEP, key, thresholds):
        return NotImplemented
    from sparsebench.ops.tree import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    flat, thresholds = key.reshape(-1), np.ascontiguousarray(thresholds)
    out = np.empty(key.size, dtype=np.int64)
    pool.run(
        lambda start, stop: kernels.by_key(flat, thresholds, depth, out, start, stop),
        pool.chunks(key.size, _CHUNK),
    )
    return out.reshape(key.shape)


@definition.axis_tree_route.on("numba")
def axis_tree_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.axis_tree_route` for one dtype, float32 or float64."""
    x, features, thresholds, depth = call.x, call.features, call.thresholds, call["depth"]
    if x.shape[1] >= _INT32 or not takes(x.shape[0] * depth * _STEP, x, thresholds):
        return NotImplemented
    from sparsebench.ops.tree import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    # A node is one load, and two nodes never share more cache lines than they need.
    wide = np.uint32 if x.itemsize == 4 else np.uint64  # noqa: PLR2004 - bytes of float32
    packed = np.empty(len(features), dtype=[("feature", wide), ("threshold", x.dtype)])
    packed["feature"], packed["threshold"] = features, thresholds
    x = np.ascontiguousarray(x)
    out = np.empty(len(x), dtype=np.int64)
    ranges = pool.chunks(len(x), _CHUNK)
    pool.run(lambda start, stop: kernels.by_feature(x, packed, depth, out, start, stop), ranges)
    return out


@definition.oblique_tree_route.on("numba")
def oblique_tree_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.oblique_tree_route` for one dtype, float32 or float64."""
    x, normals, thresholds, depth = call.x, call.normals, call.thresholds, call["depth"]
    if not takes(2 * x.size * depth, x, normals, thresholds):
        return NotImplemented
    from sparsebench.ops.tree import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    x, normals, thresholds = map(np.ascontiguousarray, (x, normals, thresholds))
    out = np.empty(len(x), dtype=np.int64)
    ranges = pool.chunks(len(x), _CHUNK)
    pool.run(lambda start, stop: kernels.by_plane(x, normals, thresholds, depth, out, start, stop), ranges)
    return out


@definition.searchsorted_route.on("numba")
def searchsorted_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.searchsorted_route` for one dtype, float32 or float64."""
    x, edges = call.x, call.edges
    if not takes(x.size * len(edges).bit_length() * _STEP, x, edges):
        return NotImplemented
    from sparsebench.ops.tree import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    flat, edges = x.reshape(-1), np.ascontiguousarray(edges)
    numbers = len(edges) - int(np.count_nonzero(np.isnan(edges)))
    out = np.empty(x.size, dtype=np.int64)
    pool.run(
        lambda start, stop: kernels.by_search(flat, edges, numbers, out, start, stop),
        pool.chunks(x.size, _CHUNK),
    )
    return out.reshape(x.shape)
