"""Convolutional arithmetic circuits compiled by Numba: places of a window are multiplied while in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.convac import definition
from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.thresholds import takes

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["convac_layer"]

_CHUNK = 1 << 11  # windows of one call of a compiled loop
_LARGE = 1 << 18  # weights of one place from which on BLAS, which cuts the depth, is faster


@definition.convac_layer.on("numba")
def convac_layer(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.convac_layer` for one dtype, float32 or float64."""
    x, weights, stride, windows = call.x, call.weights, call.stride, call["P"]
    large = call["D"] * call["M"] > _LARGE
    if large or not takes(2 * len(x) * windows * weights.size, x, weights):
        return NotImplemented
    from sparsebench.ops.convac import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    x, panels = np.ascontiguousarray(x), kernels.packed(np.ascontiguousarray(weights))
    out = np.empty((len(x), windows, call["D"]), dtype=x.dtype)
    pool.run(
        lambda start, stop: kernels.windows(x, panels, stride, out, start, stop),
        pool.chunks(len(x) * windows, _CHUNK),
    )
    return out
