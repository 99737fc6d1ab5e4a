"""Hashes of the values of data, not of the bytes that store them.

Parquet files of the same table differ between writers and between versions of one writer, so a file's
own bytes cannot be its identity. What is hashed here is canonical: each column by itself (a JSON header of
name, type and shape of a row, then its values as little-endian bytes in row-major order), and a file by the
hashes of its columns. So a column can be read and hashed in batches, and an error names the column.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = [
    "HASH_PATTERN",
    "ColumnHasher",
    "canonical_hash",
    "changed_columns",
    "column_hashes",
    "content_hash",
    "hash_batches",
    "table_hash",
]

HASH_PATTERN = r"^sha256:[0-9a-f]{64}$"
"""How a hash is written: the algorithm, a colon, and lower-case hexadecimal."""

_DTYPES = ("float32", "int64")


class ColumnHasher:
    """A hash of one column, which comes in any number of pieces.

    Parameters
    ----------
    name
        The column's name: part of what is hashed.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._digest: Any = None
        self._kind: tuple[str, tuple[int, ...]] | None = None

    def add(self, values: NDArray[Any]) -> None:
        """Add rows ``(n, ...)``, float32 or int64.

        Raises
        ------
        TypeError
            For another dtype, or for rows of another dtype or shape than earlier ones.
        """
        kind = (values.dtype.name, values.shape[1:])
        if values.dtype.name not in _DTYPES:
            raise TypeError(f"column {self._name!r}: expected {' or '.join(_DTYPES)}, got {values.dtype}")
        if self._kind not in {None, kind}:
            raise TypeError(f"column {self._name!r}: expected rows of {self._kind}, got {kind}")
        if self._digest is None:
            # The header fixes how many bytes a row has, so no two columns share a stream.
            header = json.dumps([self._name, values.dtype.name, list(values.shape[1:])])
            self._digest, self._kind = hashlib.sha256(f"sparsebench column 2\n{header}\n".encode()), kind
        ordered = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        self._digest.update(ordered.reshape(-1).view(np.uint8))

    def hash(self) -> str:
        """Return ``"sha256:"`` and 64 hexadecimal digits.

        Raises
        ------
        TypeError
            If no rows were added: their type is part of the hash.
        """
        if self._digest is None:
            raise TypeError(f"column {self._name!r}: expected rows, got none")
        return f"sha256:{self._digest.hexdigest()}"


def hash_batches(batches: Iterable[Mapping[str, NDArray[Any]]]) -> dict[str, str]:
    """Hash each column of a table that comes in batches: name → hash.

    Raises
    ------
    TypeError
        As :meth:`ColumnHasher.add`, and for batches of different columns.
    """
    hashers: dict[str, ColumnHasher] = {}
    for batch in batches:
        hashers = hashers or {name: ColumnHasher(name) for name in batch}
        if list(hashers) != list(batch):
            raise TypeError(
                f"expected the columns {', '.join(hashers)} in every batch, got {', '.join(batch)}"
            )
        for name, values in batch.items():
            hashers[name].add(values)
    return {name: hasher.hash() for name, hasher in hashers.items()}


def column_hashes(columns: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Hash each column of a table: name → hash.

    Any change of a value's bits (so ``-0.0`` is not ``0.0``), of a dtype, a shape or a name changes it;
    nothing else does.

    Raises
    ------
    TypeError
        For a dtype other than float32 and int64.
    """
    return hash_batches([columns])


def changed_columns(expected: Mapping[str, str], got: Mapping[str, str]) -> list[str]:
    """Return the columns without the expected hash, in the order of the expected ones."""
    return [name for name, value in expected.items() if got.get(name) != value]


def table_hash(columns: Mapping[str, str]) -> str:
    """Hash a table, given the hashes of its columns. Their order does not count."""
    return canonical_hash({"columns": dict(columns)})


def content_hash(columns: Mapping[str, NDArray[Any]]) -> str:
    """Hash the logical values of a table: `table_hash` of its `column_hashes`."""
    return table_hash(column_hashes(columns))


def canonical_hash(document: object) -> str:
    """Hash a JSON document in canonical form: sorted keys, no white space, no NaN."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
