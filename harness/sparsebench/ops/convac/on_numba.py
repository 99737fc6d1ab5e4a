"""Convolutional arithmetic circuits compiled by Numba: places of a window are multiplied while in cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.convac import definition as convac
from sparsebench.ops.cpu import pool
from sparsebench.ops.jit.worth import takes

__all__ = ["convac_layer"]

_CHUNK = 1 << 11  # windows of one call of a compiled loop
_LARGE = 1 << 18  # weights of one place from which on BLAS, which cuts the depth, is faster


def convac_layer(x: Any, weights: Any, *, stride: int = 1) -> Any:
    """Fast face of :func:`sparsebench.ops.convac_layer` for one dtype, float32 or float64."""
    windows = convac.check_convac(x, weights, stride)
    large = weights.shape[1] * weights.shape[2] > _LARGE
    if large or not takes(2 * len(x) * windows * weights.size, x, weights):
        return NotImplemented
    from sparsebench.ops.convac import numba_kernels as kernels  # noqa: PLC0415 - imports Numba

    x, panels = np.ascontiguousarray(x), kernels.packed(np.ascontiguousarray(weights))
    out = np.empty((len(x), windows, weights.shape[1]), dtype=x.dtype)
    pool.run(
        lambda start, stop: kernels.windows(x, panels, stride, out, start, stop),
        pool.chunks(len(x) * windows, _CHUNK),
    )
    return out
