"""The area that a set of (log2 operations, quality) points dominates inside a task's frozen box.

It is exact in two dimensions: sort by cost, then sum one rectangle per point that improves on all cheaper
ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from sparsebench.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ScoringBox", "hypervolume", "pareto_front"]

_COORDINATES = 2


class ScoringBox(Protocol):
    """The part of a task's box that scoring needs. Quality always runs from 0 to 1."""

    @property
    def log2_ops_low(self) -> float:
        """Log2 of the operations per input at the cheap edge."""

    @property
    def log2_ops_high(self) -> float:
        """Log2 of the operations per input at the expensive edge."""


def pareto_front(points: ArrayLike) -> NDArray[np.float64]:
    """Return the points that no other point dominates.

    A point dominates another when it costs no more and is no worse, and is better in one of the two.

    Parameters
    ----------
    points
        ``(k, 2)``: log2 of operations (to be minimised; ``-inf`` is zero operations), quality (to be
        maximised).

    Returns
    -------
    numpy.ndarray
        ``(f, 2)`` float64 with ``f <= k``, both columns strictly increasing. Equal points appear once.

    Raises
    ------
    UsageError
        The points are not ``(k, 2)``, or one of them is NaN.
    """
    checked = _checked(points)
    if len(checked) == 0:
        return checked
    order = np.lexsort((-checked[:, 1], checked[:, 0]))
    ordered = checked[order]
    best_before = np.concatenate(([-np.inf], np.maximum.accumulate(ordered[:-1, 1])))
    return ordered[ordered[:, 1] > best_before]


def hypervolume(points: ArrayLike, box: ScoringBox) -> float:
    """Return the fraction of the box that the points dominate.

    A point below the cheap edge counts as if it lay on it; a point at or beyond the expensive edge adds
    nothing; quality is clipped to [0, 1]. Adding a point never makes the area smaller.

    Parameters
    ----------
    points
        ``(k, 2)``: log2 of operations, quality.
    box
        Anything with ``log2_ops_low`` and ``log2_ops_high``.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    UsageError
        The points are not ``(k, 2)``, one of them is NaN, or the box has no width.
    """
    low, high = float(box.log2_ops_low), float(box.log2_ops_high)
    if not (np.isfinite([low, high]).all() and low < high):
        raise UsageError(
            f"scoring box runs from {low} to {high} in log2 of operations, expected low < high, both finite",
            help="mend the box in the task's task.toml",
        )
    checked = _checked(points)
    cost = np.clip(checked[:, 0], low, high)
    quality = np.clip(checked[:, 1], 0.0, 1.0)
    front = pareto_front(np.stack((cost, quality), axis=1))
    gains = np.diff(front[:, 1], prepend=0.0)
    area = float(np.sum((high - front[:, 0]) / (high - low) * gains))
    return min(1.0, area)  # a sum of rounded parts of 1 may be one bit above 1


def _checked(points: ArrayLike) -> NDArray[np.float64]:
    checked = np.asarray(points, dtype=np.float64)
    if checked.size == 0:
        return checked.reshape(0, _COORDINATES)
    if checked.ndim != _COORDINATES or checked.shape[1] != _COORDINATES:
        raise UsageError(
            f"points have shape {checked.shape}, expected (k, 2)", help="give (log2 ops, quality) pairs"
        )
    if np.isnan(checked).any():
        raise UsageError("a point is NaN, expected numbers", help="leave out what was not measured")
    return checked
