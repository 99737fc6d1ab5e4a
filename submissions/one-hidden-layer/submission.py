"""Unconditional memorization: one hidden layer of ReLUs on a projected input."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from sparsebench import ops

DIRECTIONS = 256  # how many random directions are tried
BLOCK = 4096  # hidden units that are evaluated at once, so that a large batch fits into memory


class OneHiddenLayer(sb.Submission):
    """The piecewise linear interpolant of the points on a line, written as a sum of ReLUs.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, if labels are classes.
    every
        Interpolate every so many-th point along the line. 1 takes all; more needs fewer hidden units.
    """

    def __init__(self, task: sb.TaskInfo, *, every: int = 1) -> None:
        self.every = every
        self.classes = task.classes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Choose a direction and interpolate along it.

        Returns
        -------
        dict of str to numpy.ndarray
            ``direction`` ``(r,)``, ``intercept`` ``(1,)``, and breakpoints and weights of the units that open
            to the left and to the right, all float64.
        """
        labels = train.y.astype(np.float64)
        direction = gentlest_direction(train.x, labels, rng)
        t = train.x @ direction
        kept = np.argsort(t)[:: self.every]
        return {"direction": direction, **interpolant(t[kept], labels[kept])}

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Evaluate every unit for every input: ``(n,)`` float64, or the nearest class, int64."""
        t = (x @ params["direction"])[:, None]
        total = params["intercept"]
        for block in blocks(params["left"]):
            total = total + relu(params["left"][block] - t) @ params["left_weights"][block]
        for block in blocks(params["right"]):
            total = total + relu(t - params["right"][block]) @ params["right_weights"][block]
        return total if self.classes is None else ops.quantize(total + 0.5, levels=self.classes)


def relu(x: Any) -> Any:
    """Give ``max(x, 0)``."""
    return x.__array_namespace__().maximum(x, 0.0)


def blocks(units: Any) -> list[slice]:
    """Cut the units ``(h,)`` into slices of at most `BLOCK`."""
    return [slice(start, start + BLOCK) for start in range(0, units.shape[0], BLOCK)]


def gentlest_direction(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give the random direction along which the interpolant is the least steep.

    Two labels that lie close together on the line need a steep piece, which the units after it have to
    take back: the rounding of those large terms is what limits recall.

    Parameters
    ----------
    x, y
        Points ``(n, r)`` and labels ``(n,)``.
    rng
        Source of the directions.

    Returns
    -------
    numpy.ndarray
        ``(r,)`` float64.
    """

    def steepness(direction: np.ndarray) -> float:
        t = x @ direction
        order = np.argsort(t)
        return float(np.linalg.norm(np.diff(y[order]) / np.diff(t[order])) * np.ptp(t))

    return min(rng.standard_normal((DIRECTIONS, x.shape[1])), key=steepness)


def interpolant(t: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Write the piecewise linear interpolant of (t, y) as an intercept and ``len(t) - 1`` ReLUs.

    Units open away from the middle knot, so an answer sums over the knots between it and the middle only:
    half as many as if all opened to one side, and so half the rounding.

    Parameters
    ----------
    t, y
        Ascending knots ``(m,)``, all distinct, and values ``(m,)``.

    Returns
    -------
    dict of str to numpy.ndarray
        ``intercept`` ``(1,)``; ``left``, ``left_weights``, ``right``, ``right_weights``.
    """
    middle = len(t) // 2
    slopes = np.diff(y) / np.diff(t)
    return {
        "intercept": y[middle : middle + 1],
        "left": t[middle:0:-1],
        "left_weights": np.diff(-slopes[:middle][::-1], prepend=0.0),
        "right": t[middle:-1],
        "right_weights": np.diff(slopes[middle:], prepend=0.0),
    }
