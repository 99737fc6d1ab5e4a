"""Constants compiled by Numba: looked up, weighted and summed in one pass."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.worth import takes
from sparsebench.ops.lookup import definition as lookup

__all__ = ["gather_constant"]

_CHUNK = 1 << 13  # rows of one call of a compiled loop


def gather_constant(index: Any, constants: Any, gates: Any = None) -> Any:
    """Fast face of :func:`sparsebench.ops.gather_constant` for one dtype, float32 or float64."""
    lookup.check_constants(index, constants, gates)
    lookup.check_index("gather_constant", index, constants.shape[0])
    width = math.prod(constants.shape[1:])
    given = (constants,) if gates is None else (constants, gates)
    if not takes(2 * index.size * width, *given):
        return NotImplemented
    from sparsebench.ops.combining import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    n, many = len(index), math.prod(index.shape[1:])
    places = np.ascontiguousarray(index.reshape(n, many), dtype=np.int64)
    table = np.ascontiguousarray(constants.reshape(len(constants), width))
    # One gate for all rows, where there are none: an array of no strides would be compiled for anew.
    weighted = np.ones((1, many), dtype=table.dtype) if gates is None else np.ascontiguousarray(gates)
    out = np.empty((n, width), dtype=table.dtype)
    pool.run(
        lambda start, stop: kernels.constants(places, table, weighted, out, start, stop),
        pool.chunks(n, _CHUNK),
    )
    return out.reshape(n, *constants.shape[1:])
