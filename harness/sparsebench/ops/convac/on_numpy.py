"""Convolutional arithmetic circuits on NumPy: one BLAS product for each place of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.convac import definition
from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import rows_in_cache, takes

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["convac_layer"]


@definition.convac_layer.on("numpy")
def convac_layer(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.convac_layer` for one dtype, float32 or float64."""
    x, weights, stride, windows = call.x, call.weights, call.stride, call["P"]
    if not takes(x, weights):
        return NotImplemented
    window, channels, width = weights.shape
    tables = np.ascontiguousarray(weights)
    out = np.empty((len(x), windows, channels), dtype=x.dtype)

    def run(start: int, stop: int) -> None:
        rows = (stop - start) * windows
        made = out[start:stop].reshape(rows, channels)
        other = np.empty_like(made)
        for place in range(window):
            seen = x[start:stop, place : place + (windows - 1) * stride + 1 : stride]
            np.matmul(seen.reshape(rows, width), tables[place].T, out=other if place else made)
            if place:
                np.multiply(made, other, out=made)

    examples = max(1, rows_in_cache(width + 2 * channels, out.itemsize) // windows)
    pool.run(run, pool.chunks(len(x), examples))
    return out
