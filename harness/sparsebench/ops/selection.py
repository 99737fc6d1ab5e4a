"""Selection of the largest."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, bits_to_choose
from sparsebench.ops.primitive import primitive

__all__ = ["top_k"]


def _check(x: Any, k: int) -> tuple[int, int]:
    width = x.shape[-1] if x.ndim else 0
    if not 1 <= k <= width:
        raise ValueError(f"top_k: k must be in [1, {width}], got {k}")
    return x.size // width, width


def _cost(x: Any, k: int) -> tuple[Charge, ...]:
    rows, width = _check(x, k)
    return (Charge("cmp", x.dtype.name, rows * (width - 1 + (k - 1) * bits_to_choose(width))),)


def _elements(x: Any, k: int) -> int:
    return 2 * _check(x, k)[0] * k


def _descending(x: Any) -> Any:
    """Order integers and booleans, of which the negative may not exist."""
    return x.shape[-1] - 1 - np.flip(np.argsort(np.flip(x, -1), axis=-1, kind="stable"), -1)


@primitive(
    cost=_cost, elements=_elements, price="top k of m: (m - 1) + (k - 1)⌈log2 m⌉ comparisons", base=True
)
def top_k(x: Any, k: int) -> Any:
    """Find the k largest along the last axis, largest first; the lower index first among equals, NaN last.

    Parameters
    ----------
    x
        Real array ``(..., m)``.
    k
        How many, in ``[1, m]``.

    Returns
    -------
    values : array ``(..., k)`` of the dtype of ``x``
    indices : array of int64 ``(..., k)``

    Raises
    ------
    ValueError
        If k is out of range.
    """
    _check(x, k)
    order = np.argsort(-x, axis=-1, kind="stable") if x.dtype.kind == "f" else _descending(x)
    indices = order[..., :k].astype(np.int64)
    return np.take_along_axis(x, indices, axis=-1), indices
