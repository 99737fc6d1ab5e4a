"""Constants on NumPy: chunks of rows that stay in cache, one address of all rows after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.dispatch import rows_in_cache, takes
from sparsebench.ops.lookup import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["gather_constant"]


@definition.gather_constant.on("numpy")
def gather_constant(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.gather_constant` for one dtype, float32 or float64."""
    constants, gates = call.constants, call.gates
    if not takes(constants, gates):
        return NotImplemented
    n, width = call["n"], call["h"]
    places, table = call.index.reshape(n, call["k"]), constants.reshape(call["E"], width)
    out = np.zeros((n, width), dtype=constants.dtype)

    def run(start: int, stop: int) -> None:
        for number in range(places.shape[1]):
            read = np.take(table, places[start:stop, number].astype(np.int64, copy=False), axis=0)
            if gates is not None:
                np.multiply(read, gates[start:stop, number, None], out=read)
            np.add(out[start:stop], read, out=out[start:stop])

    pool.run(run, pool.chunks(n, rows_in_cache(2 * width + 2, out.itemsize)))
    return out.reshape(n, *constants.shape[1:])
