"""The nearest of points on a GPU: ``prototype.cu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype
from sparsebench.ops.gpu.device import blocks_of, c_type
from sparsebench.ops.gpu.pairs import pair_bytes
from sparsebench.ops.prototype import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "nearest_in_tree", "nearest_prototype"]

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


@definition.nearest_prototype.on("cuda")
def nearest_prototype(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.nearest_prototype` does, for float32 and float64."""
    x, prototypes = call.x, call.prototypes
    n, many, d = call["n"], call["N"], call["d"]
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


@definition.nearest_in_tree.on("cuda")
def nearest_in_tree(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.nearest_in_tree` does, for float32 and float64."""
    x, prototypes, arity = call.x, call.prototypes, call.arity
    n, d = call["n"], call["d"]
    dtype = common_dtype(FLOATS, x, prototypes)
    if dtype is None or max(arity, d) > MOST // 2:
        return NotImplemented
    leaf = device.empty(n, np.int64)
    lanes = _LANES[d > _WIDE]
    args = (
        device.dense(x, dtype),
        device.dense(prototypes, dtype),
        leaf,
        np.int64(n),
        np.int32(d),
        np.int32(arity),
        np.int32(call["depth"]),
    )
    grid = min(blocks_of(n, _THREADS // lanes), device.multiprocessors * _BLOCKS)
    device.launch("prototype.cu", f"nearest_in_tree<{c_type(dtype)}, {lanes}>", grid, _THREADS, args)
    return leaf
