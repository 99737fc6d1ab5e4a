"""Unconditional memorization: two hidden layers, whose units number about 4 sqrt(n), on a projected input."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import sparsebench as sb
from lines import best_direction
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CUT_AMONG = 0.1  # of a group's points on either side of its end: the widest gap among them is taken


class TwoHiddenLayers(sb.Submission):
    """A piecewise linear function through the points on a line, as a network of two hidden layers.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, if labels are classes.
    every
        Take every so many-th point along the line. 1 takes all; more needs fewer hidden units.
    """

    def __init__(self, task: sb.TaskInfo, *, every: int = 1) -> None:
        self.every = every
        self.classes = task.classes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Choose a direction, cut the line into groups, and write the network down.

        Returns
        -------
        dict of str to numpy.ndarray
            ``direction`` ``(r,)``, and what `network` gives.
        """
        labels = train.y.astype(np.float64)

        def hardness(t: Floats, y: Floats) -> float:
            return grouped(t[:: self.every], y[:: self.every]).hardness

        direction = best_direction(train.x, labels, hardness, rng)
        t = train.x @ direction
        kept = np.argsort(t)[:: self.every]
        return {"direction": direction} | network(grouped(t[kept], labels[kept]))

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Evaluate every unit for every input: ``(n,)`` float64, or the nearest class, int64."""
        xp = x.__array_namespace__()
        t = (x @ params["direction"])[:, None]
        first = xp.maximum(t - params["knots"], 0.0)
        seen = xp.concat([t, first], axis=1)
        second = xp.maximum(seen @ params["weights"] + params["biases"], 0.0)
        total = second @ params["readout"] + params["intercept"]
        return total if self.classes is None else ops.quantize(total + 0.5, levels=self.classes)


class Groups(NamedTuple):
    """Points on a line, in groups of neighbours."""

    points: list[Floats]
    """Of each group, ascending."""
    values: list[Floats]
    """Their labels."""

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """The last point of each group but the last, and the first of the next."""
        return [(a[-1], b[0]) for a, b in pairwise(self.points)]

    @property
    def hardness(self) -> float:
        """How large the terms are that cancel each other: the steepest piece, over the narrowest gap."""
        steepest = max(
            (
                float(np.max(np.abs(np.diff(y) / np.diff(t)))) * float(np.ptp(t))
                for t, y in zip(self.points, self.values, strict=True)
                if len(t) > 1
            ),
            default=1.0,
        )
        return steepest / min((b - a for a, b in self.gaps), default=1.0)


def grouped(t: Floats, y: Floats) -> Groups:
    """Cut ascending points into about sqrt(m) groups of about sqrt(m), where gaps are wide.

    A group ends at the widest gap among those near where it would end, so that there is room to go from one
    group's lines to the next one's.

    Parameters
    ----------
    t, y
        Points ``(m,)``, ascending and distinct, and labels ``(m,)``.
    """
    size = math.isqrt(len(t) - 1) + 1
    near = int(size * CUT_AMONG)
    gaps = np.diff(t)
    ends = []
    for end in range(size, len(t) - size // 2, size):
        low, high = end - near, min(end + near, len(t) - 1)
        ends.append(low + int(np.argmax(gaps[low - 1 : high])))
    cuts = sorted(set(ends))
    return Groups(np.split(t, cuts), np.split(y, cuts))


def network(groups: Groups) -> dict[str, np.ndarray]:
    """Write the interpolant of groups of points as a network of two hidden layers.

    The first layer has two units for each gap between groups, which bend there. So what a unit of the second
    layer sees is any line on each group. Unit j of it is used for the j-th point of every group: it opens at
    the point before, with what the slope changes by; one of a pair, with readouts 1 and -1, takes changes
    upwards, the other downwards, and the one that is not used stays below 0. The first point's value is a
    constant of one unit, since all labels less the intercept are positive.

    Parameters
    ----------
    groups
        The points, G groups of at most q.

    Returns
    -------
    dict of str to numpy.ndarray
        ``knots`` ``(2G - 2,)``, ``weights`` ``(2G - 1, 2q - 1)``, ``biases`` and ``readout`` ``(2q - 1,)``,
        ``intercept`` ``(1,)``, all float64.
    """
    size = max(map(len, groups.points))
    readout = np.where(np.arange(2 * size - 1) % 2, -1.0, 1.0)
    intercept = min(float(y.min()) for y in groups.values) - 1.0
    lines = [lines_of(t, y - intercept, readout) for t, y in zip(groups.points, groups.values, strict=True)]
    knots, weights, biases = bends(groups.gaps, lines)
    return {
        "knots": knots,
        "weights": weights,
        "biases": biases,
        "readout": readout,
        "intercept": np.array([intercept]),
    }


def lines_of(t: Floats, y: Floats, readout: Floats) -> tuple[Floats, Floats]:
    """Give the slopes and the intercepts ``(2q - 1,)`` of what the second layer's units see on a group.

    Parameters
    ----------
    t, y
        The group's points, ascending, and their labels, all positive.
    readout
        1 and -1 in turn: of the units.
    """
    slopes, intercepts = np.zeros(len(readout)), np.full(len(readout), -1.0)
    intercepts[0] = y[0]
    changes = np.diff(np.diff(y) / np.diff(t), prepend=0.0)
    for j, change in enumerate(changes):
        unit = 2 * j + 1 if change < 0 else 2 * j + 2
        slopes[unit] = abs(change)
        intercepts[unit] = -abs(change) * t[j]
    return slopes, intercepts


def bends(
    gaps: list[tuple[float, float]], lines: list[tuple[Floats, Floats]]
) -> tuple[Floats, Floats, Floats]:
    """Join lines on groups by bends in the gaps between them.

    Parameters
    ----------
    gaps
        The ends of each gap.
    lines
        Slopes and intercepts of the units on each group, one more than there are gaps.

    Returns
    -------
    knots
        Where the first layer's units open, ``(2 gaps,)``: two in each gap.
    weights
        What the second layer's units see of the projection and of those units, ``(1 + 2 gaps, units)``.
    biases
        ``(units,)``.
    """
    knots: list[float] = []
    weights = [lines[0][0]]
    for (a, b), (before, after) in zip(gaps, pairwise(lines), strict=True):
        left, right = a + (b - a) / 3, b - (b - a) / 3
        start, end = before[0] * left + before[1], after[0] * right + after[1]
        slope = (end - start) / (right - left)
        knots += [left, right]
        weights += [slope - before[0], after[0] - slope]
    return np.array(knots), np.stack(weights), lines[0][1]
