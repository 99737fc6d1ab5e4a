"""Gates on a GPU: ``gating.cu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gating import definition
from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype
from sparsebench.ops.gpu.device import blocks_of, c_type
from sparsebench.ops.gpu.pairs import pair_bytes

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "top_k_gate"]

_PAIRS, _ROWS, _THREADS = 4, 64, 256  # as in gating.cu
_MOST_CHOSEN = 32  # one for every lane of a warp

INSTANCES = [("gating.cu", ("top_k_gate<float>", "top_k_gate<double>"))]


@definition.top_k_gate.on("cuda")
def top_k_gate(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.top_k_gate` does, for float32 and float64 and k up to 32."""
    x, weights, bias, k = call.x, call.weights, call.bias, call.k
    n, many, d = call["n"], call["E"], call["d"]
    dtype = common_dtype(FLOATS, x, weights, bias)
    if dtype is None or common_dtype(FLOATS, x, weights) != dtype or k > _MOST_CHOSEN:
        return NotImplemented
    if max(many, d) > MOST // 2:
        return NotImplemented
    experts, gates = device.empty((n, k), np.int64), device.empty((n, k), dtype)
    args = (
        device.dense(x, dtype),
        device.dense(weights, dtype),
        None if bias is None else device.dense(bias, dtype),
        experts,
        gates,
        np.int64(n),
        *(np.int32(length) for length in (many, d, k)),
    )
    shared = pair_bytes(dtype, _PAIRS) + _ROWS * (_ROWS + 1) * dtype.itemsize
    device.launch("gating.cu", f"top_k_gate<{c_type(dtype)}>", blocks_of(n, _ROWS), _THREADS, args, shared)
    return experts, gates
