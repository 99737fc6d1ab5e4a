"""A search for similar rows of two tables: exact, quick in any dimension, and in bounded memory.

Rows within a tolerance t of each other in the maximum norm have projections on a vector c that differ by at
most ``t * sum |c|``. So one table is sorted along a fixed random c, and a row of the other is compared only
with the rows in a window; three more projections exclude nearly all that lie there by accident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]
    Int64 = NDArray[np.int64]

__all__ = ["TOLERANCE", "contradictions", "near_rows"]

TOLERANCE = 1e-6
"""The largest difference of any feature at which two inputs count as one."""

_PROJECTIONS = 4
_BLOCK = 1 << 21  # float64 values of a step: 16 MiB


def near_rows(a: NDArray[Any], b: NDArray[Any], tolerance: float = TOLERANCE) -> Int64:
    """Find, for each row of `a`, a row of `b` within a tolerance in the maximum norm.

    Parameters
    ----------
    a, b
        ``(m, ...)`` and ``(n, ...)`` float32, finite, rows of one shape.
    tolerance
        The largest difference of any feature, computed in float64; at least 0.

    Returns
    -------
    ndarray
        ``(m,)`` int64: the number of such a row of `b`, or -1 if there is none. No near row is missed.
    """
    found = np.full(len(a), -1, dtype=np.int64)
    if not a.size or not b.size:
        return found
    left, right = a.reshape(len(a), -1), b.reshape(len(b), -1)
    axes = _axes(left, right, tolerance)
    p, q = _projected(left, axes.vectors), _projected(right, axes.vectors)
    order = np.argsort(q[:, 0], kind="stable")
    q = q[order]
    place = np.searchsorted(q[:, 0], p[:, 0] - axes.margins[0], side="left")
    end = np.searchsorted(q[:, 0], p[:, 0] + axes.margins[0], side="right")
    # One candidate of each open row at a time: rows with many near rows are done at the first one.
    rows = np.flatnonzero(place < end)
    while rows.size:
        there = place[rows]
        close = np.all(np.abs(p[rows] - q[there]) <= axes.margins, axis=1)
        close[close] = _within(left, rows[close], right, order[there[close]], tolerance)
        found[rows[close]] = order[there[close]]
        place[rows] += 1
        rows = rows[~close & (place[rows] < end[rows])]
    return found


class _Axes(NamedTuple):
    """Vectors to project on ``(d, k)``, and by how much projections of near rows can differ ``(k,)``."""

    vectors: Float64
    margins: Float64


def _axes(a: NDArray[Any], b: NDArray[Any], tolerance: float) -> _Axes:
    features = a.shape[1]
    vectors = stream("near rows", features).uniform(-1.0, 1.0, (features, _PROJECTIONS))
    total = np.abs(vectors).sum(axis=0)
    largest = max(float(np.abs(table).max()) for table in (a, b))
    # An inner product of d terms, in any order, is off by about d * 2^-53 * sum |c| |x| at most (Higham,
    # Accuracy and Stability of Numerical Algorithms, section 3.1); this covers two of them, differences, and
    # some room.
    rounding = 4.0 * (features + 4) * 2.0**-53 * largest
    return _Axes(vectors, total * (tolerance * (1.0 + 2.0**-20) + rounding))


def _projected(x: NDArray[Any], vectors: Float64) -> Float64:
    step = max(1, _BLOCK // x.shape[1])
    return np.concatenate([x[i : i + step].astype(np.float64) @ vectors for i in range(0, len(x), step)])


def _within(a: NDArray[Any], i: Int64, b: NDArray[Any], j: Int64, tolerance: float) -> NDArray[np.bool_]:
    """Return which rows i of a are near rows j of b, computed a block at a time."""
    near = np.zeros(len(i), dtype=np.bool_)
    step = max(1, _BLOCK // a.shape[1])
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        difference = a[i[part]].astype(np.float64) - b[j[part]]
        near[part] = np.abs(difference).max(axis=1) <= tolerance
    return near


def contradictions(x: NDArray[Any], y: NDArray[Any]) -> Int64:
    """Find equal inputs with different labels.

    Parameters
    ----------
    x
        ``(n, ...)`` finite; -0.0 equals 0.0.
    y
        ``(n,)`` labels.

    Returns
    -------
    ndarray
        ``(k, 2)`` int64: numbers of rows with equal inputs and different labels, at least one pair for every
        input that has more than one label.
    """
    flat = np.ascontiguousarray(x.reshape(len(x), -1) + x.dtype.type(0))  # -0.0 + 0.0 is 0.0
    keys = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
    order = np.argsort(keys, kind="stable")
    before, after = order[:-1], order[1:]
    # Labels first: where they are equal, the rows need not be looked at.
    unlike = np.flatnonzero(y[before] != y[after])
    before, after = before[unlike], after[unlike]
    equal = keys[before] == keys[after]
    return np.stack([before[equal], after[equal]], axis=1)
