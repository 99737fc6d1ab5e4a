"""Constants compiled by Numba: looked up, weighted and summed in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.thresholds import takes
from sparsebench.ops.lookup import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["gather_constant"]

_CHUNK = 1 << 13  # rows of one call of a compiled loop


@definition.gather_constant.on("numba")
def gather_constant(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.gather_constant` for one dtype, float32 or float64."""
    index, constants, gates = call.index, call.constants, call.gates
    n, many, width = call["n"], call["k"], call["h"]
    given = (constants,) if gates is None else (constants, gates)
    if not takes(2 * index.size * width, *given):
        return NotImplemented
    from sparsebench.ops.lookup import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    places = np.ascontiguousarray(index.reshape(n, many), dtype=np.int64)
    table = np.ascontiguousarray(constants.reshape(call["E"], width))
    # One gate for all rows, where there are none: an array of no strides would be compiled for anew.
    weighted = np.ones((1, many), dtype=table.dtype) if gates is None else np.ascontiguousarray(gates)
    out = np.empty((n, width), dtype=table.dtype)
    pool.run(
        lambda start, stop: kernels.constants(places, table, weighted, out, start, stop),
        pool.chunks(n, _CHUNK),
    )
    return out.reshape(n, *constants.shape[1:])
