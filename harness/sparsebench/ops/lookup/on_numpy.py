"""Constants on NumPy: chunks of rows that stay in cache, one address of all rows after the other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import rows_in_cache, takes
from sparsebench.ops.lookup import definition as lookup

__all__ = ["gather_constant"]


def gather_constant(index: Any, constants: Any, gates: Any = None) -> Any:
    """Fast face of :func:`sparsebench.ops.gather_constant` for one dtype, float32 or float64."""
    lookup.check_constants(index, constants, gates)
    lookup.check_index("gather_constant", index, constants.shape[0])
    if not takes(constants, gates):
        return NotImplemented
    width = math.prod(constants.shape[1:])
    places, table = (
        index.reshape(len(index), math.prod(index.shape[1:])),
        constants.reshape(len(constants), width),
    )
    out = np.zeros((len(index), width), dtype=constants.dtype)

    def run(start: int, stop: int) -> None:
        for number in range(places.shape[1]):
            read = np.take(table, places[start:stop, number].astype(np.int64, copy=False), axis=0)
            if gates is not None:
                np.multiply(read, gates[start:stop, number, None], out=read)
            np.add(out[start:stop], read, out=out[start:stop])

    pool.run(run, pool.chunks(len(out), rows_in_cache(2 * width + 2, out.itemsize)))
    return out.reshape(len(index), *constants.shape[1:])
