"""Gates compiled by Numba: products, selection and softmax in one pass over the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.gating import definition
from sparsebench.ops.jit.thresholds import takes

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["top_k_gate"]

_CHUNK = 1 << 11  # rows of one call of a compiled loop
_MANY, _CHOSEN = 1 << 12, 32  # experts, in all and for a row, beyond which BLAS and a partition are better


@definition.top_k_gate.on("numba")
def top_k_gate(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.top_k_gate` for float32 or float64, and few experts."""
    x, weights, bias, k = call.x, call.weights, call.bias, call.k
    n, many = call["n"], call["E"]
    given = (x, weights) if bias is None else (x, weights, bias)
    if many > _MANY or k > _CHOSEN or not takes(2 * n * weights.size, *given):
        return NotImplemented
    from sparsebench.ops.gating import numba_kernels as kernels  # noqa: PLC0415 - imports Numba
    from sparsebench.ops.jit.vectors import pack  # noqa: PLC0415

    panels, first = pack(weights, 0.0 if bias is None else bias)
    x = np.ascontiguousarray(x)
    experts, gates = np.empty((n, k), dtype=np.int64), np.empty((n, k), dtype=x.dtype)
    integers = np.empty(0, dtype=f"i{x.itemsize}")

    def choose(start: int, stop: int) -> None:
        kernels.gate(x, panels, first, many, experts, gates, integers, start, stop)

    pool.run(choose, pool.chunks(n, _CHUNK))
    return experts, gates
