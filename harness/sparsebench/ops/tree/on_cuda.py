"""Descents of trees on a GPU: ``tree.cu``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype, stand_in
from sparsebench.ops.gpu.device import blocks_of, c_type
from sparsebench.ops.tree.definition import axis_depth, check_edges, oblique_depth, route_depth

if TYPE_CHECKING:
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "axis_tree_route", "oblique_tree_route", "searchsorted_route", "tree_route"]

_NUMBERS = ("int32", "int64", *FLOATS)  # what can be compared
_INDICES = ("uint8", "int32", "int64")
_THREADS, _KEYS = 256, 4  # as in tree.cu
_DEEPEST = 30  # nodes are numbered in 32 bits
_KEPT = 16 << 10  # bytes of a tree's top that every block keeps in shared memory
_BLOCKS = 8  # of a multiprocessor
_WIDE = 4 * 32  # features from which on a whole warp shares a row: 32 lanes of four numbers
_LANES = (8, 32)

INSTANCES = [
    (
        "tree.cu",
        (
            *(f"tree_route<{c_type(dtype)}>" for dtype in _NUMBERS),
            *(f"searchsorted_route<{c_type(dtype)}>" for dtype in _NUMBERS),
            *(
                f"axis_tree_route<{c_type(dtype)}, {c_type(index)}>"
                for dtype in _NUMBERS
                for index in _INDICES
            ),
            *(f"oblique_tree_route<{c_type(dtype)}, {lanes}>" for dtype in FLOATS for lanes in _LANES),
        ),
    )
]


def _grid(device: Device, rows: int, per_block: int) -> int:
    return min(blocks_of(rows, per_block), device.multiprocessors * _BLOCKS)


def _top(device: Device, depth: int, node_bytes: int) -> int:
    """Give how many levels of a tree are kept in shared memory."""
    room = min(_KEPT, device.shared_bytes) // node_bytes
    return min(depth, room.bit_length() - 1)


def tree_route(device: Device, key: Any, thresholds: Any) -> Any:
    """Do what :func:`sparsebench.ops.tree_route` does, for numbers of 32 and 64 bits and up to 30 levels."""
    depth = route_depth(stand_in(key), stand_in(thresholds))
    dtype = common_dtype(_NUMBERS, key, thresholds)
    if dtype is None or depth > _DEEPEST:
        return NotImplemented
    leaf = device.empty(key.shape, np.int64)
    top = _top(device, depth, dtype.itemsize)
    args = (
        device.dense(key, dtype),
        device.dense(thresholds, dtype),
        leaf,
        np.int64(key.size),
        np.int32(depth),
        np.int32(top),
    )
    kernel = f"tree_route<{c_type(dtype)}>"
    grid = _grid(device, key.size, _THREADS * _KEYS)
    device.launch("tree.cu", kernel, grid, _THREADS, args, dtype.itemsize << top)
    return leaf


def axis_tree_route(device: Device, x: Any, features: Any, thresholds: Any) -> Any:
    """Do what :func:`sparsebench.ops.axis_tree_route` does, for 32 and 64 bits and up to 30 levels.

    Features are not checked: a row that meets one that is out of range gets -1.
    """
    depth = axis_depth(stand_in(x), stand_in(features), stand_in(thresholds))
    dtype = common_dtype(_NUMBERS, x, thresholds)
    if dtype is None or features.dtype.name not in _INDICES or depth > _DEEPEST or x.shape[1] > MOST:
        return NotImplemented
    n, d = x.shape
    leaf = device.empty(n, np.int64)
    node_bytes = dtype.itemsize + features.dtype.itemsize
    top = _top(device, depth, node_bytes)
    args = (
        device.dense(x, dtype),
        device.dense(features),
        device.dense(thresholds, dtype),
        leaf,
        np.int64(n),
        *(np.int32(length) for length in (d, depth, top)),
    )
    kernel = f"axis_tree_route<{c_type(dtype)}, {c_type(features.dtype)}>"
    device.launch("tree.cu", kernel, _grid(device, n, _THREADS * _KEYS), _THREADS, args, node_bytes << top)
    return leaf


def oblique_tree_route(device: Device, x: Any, normals: Any, thresholds: Any) -> Any:
    """Do what :func:`sparsebench.ops.oblique_tree_route` does, for float32, float64 and up to 30 levels."""
    depth = oblique_depth(stand_in(x), stand_in(normals), stand_in(thresholds))
    dtype = common_dtype(FLOATS, x, normals)
    if dtype is None or common_dtype(FLOATS, x, normals, thresholds) != dtype:
        return NotImplemented
    if depth > _DEEPEST or x.shape[1] > MOST // 2:
        return NotImplemented
    n, d = x.shape
    leaf = device.empty(n, np.int64)
    lanes = _LANES[d > _WIDE]
    args = (
        device.dense(x, dtype),
        device.dense(normals, dtype),
        device.dense(thresholds, dtype),
        leaf,
        np.int64(n),
        np.int32(d),
        np.int32(depth),
    )
    kernel = f"oblique_tree_route<{c_type(dtype)}, {lanes}>"
    device.launch("tree.cu", kernel, _grid(device, n, _THREADS // lanes), _THREADS, args)
    return leaf


def searchsorted_route(device: Device, x: Any, edges: Any) -> Any:
    """Do what :func:`sparsebench.ops.searchsorted_route` does, for numbers of 32 and 64 bits."""
    check_edges(stand_in(x), stand_in(edges))
    dtype = common_dtype(_NUMBERS, x, edges)
    if dtype is None:
        return NotImplemented
    below = device.empty(x.shape, np.int64)
    many = int(edges.shape[0])
    room = max(min(_KEPT, device.shared_bytes) // dtype.itemsize, 1)
    bits = math.ceil(math.log2(many / room)) if many > room else 0  # runs of 2**bits: their last edges fit
    args = (
        device.dense(x, dtype),
        device.dense(edges, dtype),
        below,
        np.int64(x.size),
        np.int64(many),
        np.int32(bits),
    )
    kernel = f"searchsorted_route<{c_type(dtype)}>"
    grid = _grid(device, x.size, _THREADS * _KEYS)
    device.launch("tree.cu", kernel, grid, _THREADS, args, (many >> bits) * dtype.itemsize)
    return below
