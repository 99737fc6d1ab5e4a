"""Intervals of means over seeds, as tables and verdicts use them."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.scoring import t_half_width

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Fit", "Interval", "line_through", "mean_interval", "ratio_interval"]


class Interval(NamedTuple):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write it in three digits."""
        return f"{self.mean:.3g} ({self.low:.3g} to {self.high:.3g})"


def mean_interval(values: Sequence[float]) -> Interval:
    """Return the mean of independent values, with Student's interval.

    Raises
    ------
    ValueError
        There are fewer than two: they have no interval.
    """
    mean, half = fmean(values), t_half_width(values)
    if half is None:
        raise ValueError(f"mean_interval: expected two values or more, got {len(values)}")
    return Interval(mean, mean - half, mean + half)


def ratio_interval(first: Sequence[float], second: Sequence[float]) -> Interval:
    """Return the geometric mean of the ratios of paired positive values, with Student's interval of logs."""
    logs = [math.log(a / b) for a, b in zip(first, second, strict=True)]
    return Interval(*map(math.exp, mean_interval(logs)))


class Fit(NamedTuple):
    """A straight line through points, by least squares."""

    slope: float
    intercept: float
    determined: float
    """The share of the variance that it explains, R squared."""


def line_through(points: Sequence[tuple[float, float]]) -> Fit:
    """Return the line through three or more points."""
    xs, ys = zip(*points, strict=True)
    x, y = fmean(xs), fmean(ys)
    sxx = math.fsum((a - x) ** 2 for a in xs)
    sxy = math.fsum((a - x) * (b - y) for a, b in points)
    syy = math.fsum((b - y) ** 2 for b in ys)
    slope = sxy / sxx
    return Fit(slope, y - slope * x, slope * sxy / syy if syy else 1.0)
