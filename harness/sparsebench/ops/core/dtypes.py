"""The supported dtypes."""

from __future__ import annotations

__all__ = ["DTYPES"]

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
"""The dtypes that the meter knows, by name."""
