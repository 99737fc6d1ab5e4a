"""Addresses sorted by expert: counted, then placed."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.cpu.dispatch import Groups
from sparsebench.ops.jit.runtime import compiled

__all__ = ["group"]


def group(index: Any, experts: int) -> Groups:
    """Sort the addresses of an index, as :func:`sparsebench.ops.cpu.dispatch.group` does."""
    flat = np.ascontiguousarray(index.reshape(-1), dtype=np.int64)
    order = np.empty(flat.size, dtype=np.int64)
    bounds = np.empty(experts + 1, dtype=np.int64)
    _place(flat, order, bounds)
    return Groups(order, bounds)


@compiled
def _place(index: Any, order: Any, bounds: Any) -> None:
    """Count the addresses of every expert, then put each behind those before it."""
    bounds[:] = 0
    for expert in index:
        bounds[expert + 1] += 1
    for expert in range(1, bounds.shape[0]):
        bounds[expert] += bounds[expert - 1]
    free = bounds.copy()
    for place in range(index.shape[0]):
        expert = index[place]
        order[free[expert]] = place
        free[expert] += 1
