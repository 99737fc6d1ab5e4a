"""The nearest of points on a GPU: ``prototype.cu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype, stand_in
from sparsebench.ops.gpu.device import blocks_of, c_type
from sparsebench.ops.prototype.definition import check_prototypes, tree_depth

if TYPE_CHECKING:
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "nearest_in_tree", "nearest_prototype", "pair_bytes"]

_THREADS = 256
_WIDE = 4 * 32  # features from which on a whole warp shares a row: 32 lanes of four numbers
_LANES = (8, 32)
_BLOCKS = 8  # of a multiprocessor

INSTANCES = [
    (
        "prototype.cu",
        (
            "nearest_prototype<float, 4>",
            "nearest_prototype<float, 8>",
            "nearest_prototype<double, 4>",
            *(f"nearest_in_tree<{dtype}, {lanes}>" for dtype in ("float", "double") for lanes in _LANES),
        ),
    )
]


def pair_bytes(dtype: np.dtype[Any], pairs: int) -> int:
    """Give the bytes of a ``pair_tile`` of ``pairs`` by ``pairs`` for a thread: ``pairs.cuh``."""
    return 2 * (8 if pairs == 8 else 16) * (16 * pairs + 4) * dtype.itemsize  # noqa: PLR2004


def nearest_prototype(device: Device, x: Any, prototypes: Any) -> Any:
    """Do what :func:`sparsebench.ops.nearest_prototype` does, for float32 and float64."""
    n, many, d = check_prototypes(stand_in(x), stand_in(prototypes))
    dtype = common_dtype(FLOATS, x, prototypes)
    if dtype is None or max(many, d) > MOST // 2:
        return NotImplemented
    # Large tiles read less; small ones do not leave multiprocessors without work.
    large = dtype.itemsize == np.float32().itemsize and n >= 128 * device.multiprocessors and many > 64  # noqa: PLR2004
    pairs = 8 if large else 4
    nearest = device.empty(n, np.int64)
    args = (
        device.dense(x, dtype),
        device.dense(prototypes, dtype),
        nearest,
        np.int64(n),
        np.int32(many),
        np.int32(d),
    )
    kernel = f"nearest_prototype<{c_type(dtype)}, {pairs}>"
    device.launch("prototype.cu", kernel, blocks_of(n, 16 * pairs), _THREADS, args, pair_bytes(dtype, pairs))
    return nearest


def nearest_in_tree(device: Device, x: Any, prototypes: Any, *, arity: int) -> Any:
    """Do what :func:`sparsebench.ops.nearest_in_tree` does, for float32 and float64."""
    depth = tree_depth(stand_in(x), stand_in(prototypes), arity)
    dtype = common_dtype(FLOATS, x, prototypes)
    if dtype is None or max(arity, x.shape[1]) > MOST // 2:
        return NotImplemented
    n, d = x.shape
    leaf = device.empty(n, np.int64)
    lanes = _LANES[d > _WIDE]
    args = (
        device.dense(x, dtype),
        device.dense(prototypes, dtype),
        leaf,
        np.int64(n),
        np.int32(d),
        np.int32(arity),
        np.int32(depth),
    )
    grid = min(blocks_of(n, _THREADS // lanes), device.multiprocessors * _BLOCKS)
    device.launch("prototype.cu", f"nearest_in_tree<{c_type(dtype)}, {lanes}>", grid, _THREADS, args)
    return leaf
