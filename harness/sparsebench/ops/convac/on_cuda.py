"""Layers of convolutional arithmetic circuits on a GPU: ``convac.cu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.convac import definition
from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype
from sparsebench.ops.gpu.device import blocks_of, c_type

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "convac_layer"]

_DTYPES = ("float16", "bfloat16", *FLOATS)
_THREADS = 256  # as in convac.cu
_KEPT = 48 << 10  # bytes of weights that a block may hold
_BLOCKS = 16  # of a multiprocessor, where each holds the weights

INSTANCES = [("convac.cu", tuple(f"convac_layer<{c_type(dtype)}>" for dtype in _DTYPES))]


@definition.convac_layer.on("cuda")
def convac_layer(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.convac_layer` does, for floating-point numbers of 16 to 64 bits."""
    x, weights, stride, windows = call.x, call.weights, call.stride, call["P"]
    dtype = common_dtype(_DTYPES, x, weights)
    if dtype is None or max(*x.shape[1:], *weights.shape, windows, stride) > MOST:
        return NotImplemented
    n, positions, width = x.shape
    window, channels, _ = weights.shape
    out = device.empty((n, windows, channels), dtype)
    held = window * width * (channels | 1) * dtype.itemsize
    kept = held <= min(_KEPT, device.shared_bytes)
    lengths = (positions, width, window, channels, windows, stride, kept)
    args = (device.dense(x, dtype), device.dense(weights, dtype), out, np.int64(n), *map(np.int32, lengths))
    grid = blocks_of(n * windows * channels, _THREADS)
    grid = min(grid, _BLOCKS * device.multiprocessors) if kept else grid
    device.launch("convac.cu", f"convac_layer<{c_type(dtype)}>", grid, _THREADS, args, held if kept else 0)
    return out
