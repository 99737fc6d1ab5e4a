"""Gates by BLAS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.largest import largest
from sparsebench.ops.cpu.twins import Columns
from sparsebench.ops.gating import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["top_k_gate"]

_CHUNK = 1 << 17  # elements of a chunk's rows, or of their logits: they stay in the second cache


@definition.top_k_gate.on("numpy")
def top_k_gate(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.top_k_gate`."""
    x, bias, k = call.x, call.bias, call.k
    n, many, dtype = call["n"], call["E"], call.promoted("x", "weights", "bias")
    experts, gates = np.empty((n, k), dtype=np.int64), np.empty((n, k), dtype=dtype)
    columns = Columns(call.weights)

    def choose(start: int, stop: int) -> None:
        logits = columns.products(x[start:stop])
        logits = logits if bias is None else logits + bias
        experts[start:stop] = largest(logits, k)
        chosen = np.take_along_axis(logits, experts[start:stop], axis=1)
        chosen = np.exp(chosen - chosen.max(axis=1, keepdims=True))  # NaN, if any, is carried along
        gates[start:stop] = chosen / chosen.sum(axis=1, keepdims=True)

    pool.run(choose, pool.chunks(n, max(_CHUNK // max(call["d"], many), 1)))
    return experts, gates
