"""What host code asks about its arguments: which dtype kernels compute in, and whether they take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FLOATS", "MOST", "common_dtype", "real_dtype", "rounded_up"]

FLOATS = ("float32", "float64")
"""The dtypes that every kernel of real numbers takes."""

MOST = 2**31 - 1
"""The most that kernels take of whatever they count in 32 bits: features, experts, tables."""


def common_dtype(names: Iterable[str], *arrays: Any) -> np.dtype[Any] | None:
    """Return the dtype that arrays are promoted to, or None if it is not one of those named."""
    try:
        common = np.result_type(*(array.dtype for array in arrays if array is not None))
    except TypeError:  # no dtype holds both
        return None
    return common if common.name in names else None


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype that kernels compute in: float32 for 16 bits."""
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype  # noqa: PLR2004 - bytes


def rounded_up(length: int, unit: int) -> int:
    """Return the least multiple of ``unit`` that is not less than ``length``."""
    return -(-length // unit) * unit
