"""Targets made of distances: to the nearest of some points, and McShane's extension of random values."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from problem import Problem, Streams, uniform_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]
    Metric = Callable[[Float64, Float64], Float64]

POINTS = 10
ANCHORS = {2: 64, 3: 128}
"""Dimension → number of points whose values are extended: about 5 to 8 along an edge of the cube."""
SPREAD = 0.25
"""The values are drawn from [0, SPREAD) on the unit cube: about the height between neighbouring points."""


def euclidean(x: Float64, point: Float64) -> Float64:
    """Measure the distances from x ``(n, d)`` to a point ``(d,)``; the squares are added in order."""
    total = np.zeros(len(x))
    for i, value in enumerate(point):
        step = x[:, i] - value
        total = total + step * step
    return np.sqrt(total)


def distance(points: Float64, x: Float64) -> Float64:
    """Evaluate the distance to the nearest of points ``(m, d)``; x ``(n, d)`` → ``(n,)``.

    Moving x by t moves its distance to a point by at most t, and so the least of them: the Lipschitz
    constant is 1, and it is attained on the way to the nearest point.
    """
    nearest = np.full(len(x), np.inf)
    for point in points:
        nearest = np.minimum(nearest, euclidean(x, point))
    return nearest


def mcshane(points: Float64, values: Float64, x: Float64, metric: Metric = euclidean) -> Float64:
    """Evaluate min over i of v_i + dist(x, p_i); x ``(n, d)``, points ``(m, d)``, values ``(m,)`` → ``(n,)``.

    It is 1-Lipschitz in the metric, as a minimum of functions that are, and its slope is 1 wherever one
    point decides. Where the values are 1-Lipschitz on the points it extends them: at p_j the j-th term is
    v_j, and no other is less (McShane 1934).
    """
    lowest = np.full(len(x), np.inf)
    for point, value in zip(points, values, strict=True):
        lowest = np.minimum(lowest, value + metric(x, point))
    return lowest


def consistent(points: Float64, drawn: Float64, metric: Metric = euclidean) -> Float64:
    """Lower values ``(m,)`` until they are 1-Lipschitz on the points ``(m, d)``, and no further.

    The largest such values below the drawn ones are v_j = min over i of u_i + dist(p_j, p_i).
    """
    return mcshane(points, drawn, points, metric)


def one() -> float:
    """Give the Lipschitz constant of distances, and of what McShane extends."""
    return 1.0


def distance_problem(dimensions: int, streams: Streams) -> Problem:
    """Pose ``distance-nd``: the distance to the nearest of 10 random points, x ~ U[0, 1)^n."""
    points = streams("target").random((POINTS, dimensions))
    return uniform_problem(streams, dimensions, partial(distance, points), one, low=0)


def mcshane_problem(dimensions: int, streams: Streams) -> Problem:
    """Pose ``mcshane-nd``: random values at random points, extended by McShane, x ~ U[0, 1)^n."""
    rng, anchors = streams("target"), ANCHORS[dimensions]
    points = rng.random((anchors, dimensions))
    values = consistent(points, SPREAD * rng.random(anchors))
    return uniform_problem(streams, dimensions, partial(mcshane, points, values), one, low=0)


PROBLEMS = {
    "distance-2d": partial(distance_problem, 2),
    "distance-3d": partial(distance_problem, 3),
    "mcshane-2d": partial(mcshane_problem, 2),
    "mcshane-3d": partial(mcshane_problem, 3),
}
