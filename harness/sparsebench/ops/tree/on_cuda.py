"""Descents of trees on a GPU: ``tree.cu``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype
from sparsebench.ops.gpu.device import blocks_of, c_type
from sparsebench.ops.tree import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
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
    """Return how many levels of a tree are kept in shared memory."""
    room = min(_KEPT, device.shared_bytes) // node_bytes
    return min(depth, room.bit_length() - 1)


@definition.tree_route.on("cuda")
def tree_route(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.tree_route` does, for numbers of 32 and 64 bits and up to 30 levels."""
    key, thresholds, depth = call.key, call.thresholds, call["depth"]
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


@definition.axis_tree_route.on("cuda")
def axis_tree_route(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.axis_tree_route` does, for 32 and 64 bits and up to 30 levels.

    Features are not checked: a row that meets one that is out of range gets -1.
    """
    x, features, thresholds = call.x, call.features, call.thresholds
    n, d, depth = call["n"], call["d"], call["depth"]
    dtype = common_dtype(_NUMBERS, x, thresholds)
    if dtype is None or features.dtype.name not in _INDICES or depth > _DEEPEST or d > MOST:
        return NotImplemented
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


@definition.oblique_tree_route.on("cuda")
def oblique_tree_route(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.oblique_tree_route` does, for float32, float64 and up to 30 levels."""
    x, normals, thresholds = call.x, call.normals, call.thresholds
    n, d, depth = call["n"], call["d"], call["depth"]
    dtype = common_dtype(FLOATS, x, normals)
    if dtype is None or common_dtype(FLOATS, x, normals, thresholds) != dtype:
        return NotImplemented
    if depth > _DEEPEST or d > MOST // 2:
        return NotImplemented
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


@definition.searchsorted_route.on("cuda")
def searchsorted_route(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.searchsorted_route` does, for numbers of 32 and 64 bits."""
    x, edges, many = call.x, call.edges, call["m"]
    dtype = common_dtype(_NUMBERS, x, edges)
    if dtype is None:
        return NotImplemented
    below = device.empty(x.shape, np.int64)
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
