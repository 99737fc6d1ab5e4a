"""What host code asks about its arguments: which dtype kernels compute in, and whether they take it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FLOATS", "MOST", "Outline", "common_dtype", "real_dtype", "rounded_up", "stand_in"]

FLOATS = ("float32", "float64")
"""The dtypes that every kernel of real numbers takes."""

_FLOAT = np.dtype(np.float32)

MOST = 2**31 - 1
"""The most that kernels take of whatever they count in 32 bits: features, experts, tables."""


def common_dtype(names: Iterable[str], *arrays: Any) -> np.dtype[Any] | None:
    """Give the dtype that arrays are promoted to, or None if it is not one of those named."""
    try:
        common = np.result_type(*(array.dtype for array in arrays if array is not None))
    except TypeError:  # no dtype holds both
        return None
    return common if common.name in names else None


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Give the dtype that kernels compute in: float32 for 16 bits."""
    return np.dtype(np.float32) if dtype.itemsize == 2 else dtype  # noqa: PLR2004 - bytes


def rounded_up(length: int, unit: int) -> int:
    """Give the least multiple of ``unit`` that is not less than ``length``."""
    return -(-length // unit) * unit


@dataclass(frozen=True)
class Outline:
    """What checks of shapes and dtypes see of an array, by NumPy's namespace, wherever the array is."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def __array_namespace__(self) -> Any:
        return np


def stand_in(array: Any) -> Any:
    """Give an array's outline; that of float32 for bfloat16, which no ``isdtype`` knows. None stays None."""
    if array is None:
        return None
    return Outline(tuple(array.shape), _FLOAT if array.dtype.name == "bfloat16" else array.dtype)
