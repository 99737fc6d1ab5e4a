"""Tiles of pairs, a row of one array with a row of another: ``pairs.cuh``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["pair_bytes"]


def pair_bytes(dtype: np.dtype[Any], pairs: int) -> int:
    """Return the bytes of a ``pair_tile`` of ``pairs`` by ``pairs`` for a thread."""
    return 2 * (8 if pairs == 8 else 16) * (16 * pairs + 4) * dtype.itemsize  # noqa: PLR2004
