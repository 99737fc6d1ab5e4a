"""The largest of every row by partition, or by one maximum after the other: sorting all of it is slower."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["largest"]

_WIDE = 16  # so many times as wide as k, a row is sooner searched k times than partitioned (measured)


def largest(x: Any, k: int) -> Any:
    """Return where the k largest of every row ``(n, m)`` are, as :func:`sparsebench.ops.top_k` orders them.

    Parameters
    ----------
    x
        Real array ``(n, m)``, contiguous.
    k
        How many, in ``[1, m]``.

    Returns
    -------
    array of int64 ``(n, k)``
    """
    # Where it is least, x is largest; NaN comes last in both. Integers have no negative that always exists.
    key = -x if x.dtype.kind == "f" else ~x
    width = x.shape[1]
    if k == width or not len(x):
        return _sorted(key, k)
    rounds = k == 1 or (x.dtype.kind == "f" and width >= _WIDE * k)
    indices, unsure = _by_rounds(key, k) if rounds else _by_partition(key, k)
    if unsure.any():
        indices[unsure] = _sorted(key[unsure], k)
    return indices


def _sorted(key: Any, k: int) -> Any:
    return np.argsort(key, axis=1, kind="stable")[:, :k].astype(np.int64, copy=False)


def _by_rounds(key: Any, k: int) -> tuple[Any, Any]:
    """Take the first least, k times; unsure is a row where infinity or NaN was taken."""
    rows = np.arange(len(key))
    indices = np.empty((len(key), k), dtype=np.int64)
    unsure = np.zeros(len(key), dtype=np.bool_)
    left = key if k == 1 else key.copy()
    for place in range(k):
        indices[:, place] = first = left.argmin(axis=1)
        if key.dtype.kind == "f":
            unsure |= ~(left[rows, first] < math.inf)  # what was taken before looks like this
        if place + 1 < k:
            left[rows, first] = math.inf
    return indices, unsure


def _by_partition(key: Any, k: int) -> tuple[Any, Any]:
    """Put the k least first, and order them; unsure is a row where others equal the last of them, or NaN."""
    chosen = np.sort(np.argpartition(key, k - 1, axis=1)[:, :k], axis=1)
    values = np.take_along_axis(key, chosen, axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    last = np.take_along_axis(values, order[:, -1:], axis=1)
    unsure = np.count_nonzero(key <= last, axis=1) != k
    return np.take_along_axis(chosen, order, axis=1).astype(np.int64, copy=False), unsure
