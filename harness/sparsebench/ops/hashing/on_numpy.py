"""Hashes by BLAS: products and digits of addresses, chunk by chunk."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.twins import Columns
from sparsebench.ops.hashing import definition

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops.core.call import Call

__all__ = ["hyperplane_hash", "pstable_hash"]

_CHUNK = 1 << 17  # elements of a chunk's rows, or of their projections: they stay in the second cache
_FLOAT32, _FLOAT64 = 2**24, 2**53  # up to which these tell integers apart


@definition.hyperplane_hash.on("numpy")
def hyperplane_hash(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.hyperplane_hash`."""
    limits = 0.0 if call.offsets is None else call.offsets

    def digits(projected: Any) -> Any:
        return projected > limits

    return _hash(call.x, call.planes, digits, 2)


@definition.pstable_hash.on("numpy")
def pstable_hash(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.pstable_hash`."""
    offsets, levels = call.offsets, call.levels

    def digits(projected: Any) -> Any:
        shifted = projected + offsets
        exact = shifted.dtype == np.float32 and levels <= _FLOAT32
        values = shifted if exact else shifted.astype(np.float64)
        # The greater of zero and NaN is zero.
        return np.floor(np.fmin(np.fmax(values, 0.0), levels - 1))

    return _hash(call.x, call.directions, digits, levels)


def _hash(x: Any, vectors: Any, digits: Callable[[Any], Any], radix: int) -> Any:
    """Make addresses from the digits of projections ``(rows, [s,] k)``."""
    n, d = x.shape
    columns = Columns(vectors.reshape(math.prod(vectors.shape[:-1]), d))
    out = np.empty((n, *vectors.shape[:-2]), dtype=np.int64)

    def hash_rows(start: int, stop: int) -> None:
        projected = columns.products(x[start:stop]).reshape(stop - start, *vectors.shape[:-1])
        out[start:stop] = _addresses(digits(projected), radix)

    rows = max(_CHUNK // max(d, math.prod(vectors.shape[:-1]), 1), 1)
    pool.run(hash_rows, pool.chunks(n, rows))
    return out


def _addresses(digits: Any, radix: int) -> Any:
    """Read whole digits ``(..., k)`` as numbers, the first most significant, by a product that is exact."""
    many = digits.shape[-1]
    size = radix**many
    dtype = np.float32 if size <= _FLOAT32 else np.float64 if size <= _FLOAT64 else np.int64
    powers = np.asarray([radix ** (many - 1 - place) for place in range(many)], dtype=dtype)
    return np.matmul(digits.astype(dtype), powers)
