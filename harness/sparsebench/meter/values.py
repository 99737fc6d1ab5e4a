"""What stands for an array on either side of the meter."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DTYPES", "Description", "Handle"]

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
