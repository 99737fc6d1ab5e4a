"""Selection on several threads, chunk by chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.largest import largest
from sparsebench.ops.selection import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["top_k"]

_CHUNK = 1 << 17  # elements of a chunk's rows: they stay in the second cache


@definition.top_k.on("numpy")
def top_k(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.top_k`."""
    x, k, many, width = call.x, call.k, call["..."], call["m"]
    rows = x.reshape(many, width)
    indices, values = np.empty((many, k), dtype=np.int64), np.empty((many, k), dtype=x.dtype)

    def select(start: int, stop: int) -> None:
        part = np.ascontiguousarray(rows[start:stop])
        indices[start:stop] = largest(part, k)
        values[start:stop] = np.take_along_axis(part, indices[start:stop], axis=1)

    pool.run(select, pool.chunks(many, max(_CHUNK // width, 1)))
    shape = (*x.shape[:-1], k)
    return values.reshape(shape), indices.reshape(shape)
