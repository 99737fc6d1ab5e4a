"""Combinations of experts on a GPU: ``combining.cu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.combining import definition
from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype
from sparsebench.ops.gpu.device import blocks_of, c_type

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "segment_combine", "top_k_mask_linear"]

_DTYPES = ("float16", "bfloat16", *FLOATS)
_THREADS = 256  # as in combining.cu
_OF_A_LIST, _MOST_KEPT = 32, 64  # one for every lane of a warp, or two

INSTANCES = [
    (
        "combining.cu",
        (
            *(f"segment_combine<{c_type(dtype)}>" for dtype in _DTYPES),
            *(f"top_k_mask_linear<{c_type(dtype)}, {lists}>" for dtype in FLOATS for lists in (1, 2)),
        ),
    )
]


@definition.segment_combine.on("cuda")
def segment_combine(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.segment_combine` does, for floating-point numbers of 16 to 64 bits."""
    values, gates = call.values, call.gates
    dtype = common_dtype(_DTYPES, values, gates)
    n, k, h = call["n"], call["k"], call["h"]
    if dtype is None or max(k, h) > MOST:
        return NotImplemented
    out = device.empty((n, *values.shape[2:]), dtype)
    args = (
        device.dense(values, dtype),
        device.dense(gates, dtype),
        out,
        np.int64(n),
        np.int32(k),
        np.int32(h),
    )
    device.launch(
        "combining.cu", f"segment_combine<{c_type(dtype)}>", blocks_of(n * h, _THREADS), _THREADS, args
    )
    return out


@definition.top_k_mask_linear.on("cuda")
def top_k_mask_linear(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.top_k_mask_linear` does, for float32 and float64 and k up to 64."""
    preactivations, readout, bias, k = call.preactivations, call.readout, call.bias, call.k
    dtype = common_dtype(FLOATS, preactivations, readout, bias)
    n, t, o = call["n"], call["t"], call["o"]
    if dtype is None or k > _MOST_KEPT or max(t, o) > MOST // 2:
        return NotImplemented
    out = device.empty((n, *readout.shape[1:]), dtype)
    args = (
        *(device.dense(part, dtype) for part in (preactivations, readout)),
        None if bias is None else device.dense(bias, dtype),
        *(out, np.int64(n), np.int32(t), np.int32(o), np.int32(k)),
    )
    grid = blocks_of(n, _THREADS // 32)
    kernel = f"top_k_mask_linear<{c_type(dtype)}, {-(-k // _OF_A_LIST)}>"
    device.launch("combining.cu", kernel, grid, _THREADS, args)
    return out
