"""Addresses sorted by expert, and cut into pieces that stay in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Groups", "group", "pieces", "rows_in_cache", "takes"]

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
_CACHE = 1 << 19  # bytes of a piece: half of a small second-level cache
_LEAST, _MOST = 64, 1 << 14  # rows of a piece


class Groups(NamedTuple):
    """Addresses sorted by expert."""

    order: Any
    """int64 ``(m,)``: flat places of the addresses, those of expert 0 first, each expert's in their order."""
    bounds: Any
    """int64 ``(E + 1,)``: those of expert e are ``order[bounds[e] : bounds[e + 1]]``."""


def takes(*arrays: Any) -> bool:
    """Return whether arrays (None: not there) have one dtype, float32 or float64.

    Others are left to the steady backends: promotion between layers is theirs, and BLAS has no other real
    types.
    """
    kinds = {array.dtype for array in arrays if array is not None}
    return len(kinds) == 1 and kinds.pop() in _DTYPES


def group(index: Any, experts: int) -> Groups:
    """Sort the addresses of an index.

    Parameters
    ----------
    index
        Integer array of any shape with values in ``[0, experts)``.
    experts
        How many there are.
    """
    flat = index.reshape(-1)
    # A stable sort of at most 16 bits is NumPy's radix sort, several times as fast as one of 64.
    narrow = np.min_scalar_type(max(experts - 1, 0))
    order = np.argsort(flat.astype(narrow, copy=False), kind="stable")
    bounds = np.zeros(experts + 1, dtype=np.int64)
    np.cumsum(np.bincount(flat.astype(np.int64, copy=False), minlength=experts), out=bounds[1:])
    return Groups(order, bounds)


def rows_in_cache(width: int, itemsize: int) -> int:
    """Return the rows of a piece, of each of which so many elements are held."""
    return min(_MOST, max(_LEAST, _CACHE // max(1, width * itemsize)))


def pieces(bounds: Any, rows: int) -> Iterator[tuple[int, int]]:
    """Cut sorted addresses into stretches ``(start, stop)`` of about ``rows``.

    Experts with no more than ``rows`` addresses stay in one piece. The cuts depend on the groups alone.
    """
    total = int(bounds[-1])
    marks = np.arange(0, total, rows)
    expert = np.searchsorted(bounds, marks, side="right") - 1
    first = bounds[expert]
    cuts = np.unique(np.where(bounds[expert + 1] - first <= rows, first, marks)).tolist()
    return zip(cuts, [*cuts[1:], total], strict=False)
