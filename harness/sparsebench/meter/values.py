"""What stands for an array on either side of the meter."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.ops.charges import bits_to_choose

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DTYPES", "Description", "Handle", "Secret", "Value", "array_hash"]

DTYPES = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
"""The dtypes that the meter knows."""


class Handle(NamedTuple):
    """A number that names an array which lives elsewhere."""

    number: int


class Description(NamedTuple):
    """All that the submission's side is told about an array."""

    handle: Handle
    """Its name."""
    dtype: str
    """Its dtype's name."""
    ndim: int
    """Its number of axes."""
    shape: tuple[int, ...] | None
    """Its shape, or None while the shape depends on values and has not been paid for."""


class Secret:
    """A number of rows that depends on values: made by a mask, told for a price, paid for once."""

    def __init__(self, most_rows: int) -> None:
        self.bits = bits_to_choose(most_rows + 1)
        self.paid = False


@dataclass(frozen=True, slots=True)
class Value:
    """An array in the engine."""

    array: np.ndarray[Any, Any]
    """The numbers."""
    secrets: frozenset[Secret]
    """The secrets that its shape may tell."""


def array_hash(array: np.ndarray[Any, Any]) -> str:
    """Hash an array: its dtype, its shape and its values, SHA-256 in hexadecimal."""
    return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()
