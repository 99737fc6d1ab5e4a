"""The representations of an array on either side of the meter."""

from __future__ import annotations

from typing import NamedTuple

from sparsebench.ops.core.dtypes import DTYPES

__all__ = ["DTYPES", "Description", "Handle"]


class Handle(NamedTuple):
    """A number that names an array in another place."""

    number: int


class Description(NamedTuple):
    """Everything that the submission's side gets to know about an array."""

    handle: Handle
    """Its name."""
    dtype: str
    """Its dtype's name."""
    ndim: int
    """Its number of axes."""
    shape: tuple[int, ...] | None
    """Its shape, or None while the shape depends on values and has not been paid for."""
