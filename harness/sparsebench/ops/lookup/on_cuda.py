"""Constants at computed addresses, on a GPU: ``lookup.cu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype
from sparsebench.ops.gpu.device import blocks_of, c_type
from sparsebench.ops.gpu.dispatch import INDICES, dense_index
from sparsebench.ops.lookup import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "gather_constant"]

_THREADS = 256  # as in lookup.cu

INSTANCES = [
    (
        "lookup.cu",
        tuple(
            f"gather_constant<{c_type(dtype)}, {c_type(index)}>"
            for dtype in ("float16", "bfloat16", *FLOATS)
            for index in INDICES
        ),
    )
]


@definition.gather_constant.on("cuda")
def gather_constant(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.gather_constant` does, for floating-point numbers of 16 to 64 bits."""
    constants, gates = call.constants, call.gates
    dtype = common_dtype(("float16", "bfloat16", *FLOATS), constants, gates)
    n, k, h = call["n"], call["k"], call["h"]
    if dtype is None or max(k, h) > MOST or call.index.dtype.name == "uint64":
        return NotImplemented
    index = dense_index(device, call.index)
    out = device.empty((n, *constants.shape[1:]), dtype)
    args = (
        *(index, device.dense(constants, dtype)),
        None if gates is None else device.dense(gates, dtype),
        *(out, np.int64(n), np.int32(k), np.int32(h), np.int64(call["E"])),
    )
    kernel = f"gather_constant<{c_type(dtype)}, {c_type(index.dtype)}>"
    device.launch("lookup.cu", kernel, blocks_of(n * h, _THREADS), _THREADS, args)
    return out
