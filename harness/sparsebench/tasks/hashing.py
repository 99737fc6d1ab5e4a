"""Hashes of what data mean, not of the bytes that happen to store them.

Parquet files of the same table differ between writers and between versions of one writer, so a file's
own bytes cannot be its identity. What is hashed here is canonical: for each column in its order, a JSON
header (name, type, shape), then its values as little-endian bytes in row-major order.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["HASH_PATTERN", "canonical_hash", "content_hash"]

HASH_PATTERN = r"^sha256:[0-9a-f]{64}$"
"""How a hash is written: the algorithm, a colon, and lower-case hexadecimal."""

_DTYPES = ("float32", "int64")


def content_hash(columns: Mapping[str, NDArray[Any]]) -> str:
    """Hash the logical values of a table.

    Parameters
    ----------
    columns
        Name → array of shape ``(n, ...)``, float32 or int64. The order of the names counts.

    Returns
    -------
    str
        ``"sha256:"`` and 64 hexadecimal digits. Any change of a value's bits (so ``-0.0`` is not ``0.0``),
        of a dtype, a shape, a name or an order changes it; nothing else does.

    Raises
    ------
    TypeError
        For another dtype.
    """
    digest = hashlib.sha256(b"sparsebench columns 1\n")
    for name, values in columns.items():
        if values.dtype.name not in _DTYPES:
            raise TypeError(f"column {name!r}: expected {' or '.join(_DTYPES)}, got {values.dtype}")
        # The header fixes how many bytes follow it, so no two tables share a stream.
        digest.update(json.dumps([name, values.dtype.name, list(values.shape)]).encode() + b"\n")
        digest.update(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes())
    return f"sha256:{digest.hexdigest()}"


def canonical_hash(document: object) -> str:
    """Hash a JSON document in canonical form: sorted keys, no white space, no NaN."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
