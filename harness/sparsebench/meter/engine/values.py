"""The value of a handle: an array, and the secrets in its shape."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparsebench.ops.charges import bits_to_choose

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Secret", "Value", "array_hash"]


class Secret:
    """A number of rows that depends on values: made by a mask, revealed for a price, paid for once."""

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
    constant: bool = False
    """Whether it was made of the model alone: parameters, constants of predict, and slices of these."""


def array_hash(array: np.ndarray[Any, Any]) -> str:
    """Hash an array: its dtype, its shape and its values, SHA-256 in hexadecimal."""
    return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()
