"""Gates compiled by Numba: products, selection and softmax in one pass over the rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.gating import definition as gating
from sparsebench.ops.jit.worth import takes

__all__ = ["top_k_gate"]

_CHUNK = 1 << 11  # rows of one call of a compiled loop
_MANY, _CHOSEN = 1 << 12, 32  # experts, in all and for a row, beyond which BLAS and a partition are better


def top_k_gate(x: Any, weights: Any, bias: Any = None, *, k: int) -> Any:
    """Fast face of :func:`sparsebench.ops.top_k_gate` for one dtype, float32 or float64, and few experts."""
    n, many = gating.check_gate(x, weights, bias, k)
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
