"""Budget curves as charts show them: pooled over a task's instances, and fronts of several entries.

The area under a pooled curve in the task's box is the entry's plain score: what a chart shows is what is
scored.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.leaderboard.board import Steps

__all__ = ["front_of", "pooled", "quality_at", "within"]


def pooled(curves: Sequence[Steps]) -> Steps:
    """Return the mean of several budget curves, which is one itself.

    Parameters
    ----------
    curves
        One for each instance; one without steps is 0 everywhere.
    """
    jumps = [
        (cost, quality - before)
        for curve in curves
        for (cost, quality), before in zip(curve, (0.0, *(q for _, q in curve)), strict=False)
    ]
    steps: list[tuple[float, float]] = []
    risen: list[float] = []
    for cost, jump in sorted(jumps):
        risen.append(jump)
        if steps and steps[-1][0] == cost:
            steps.pop()
        steps.append((cost, math.fsum(risen) / len(curves)))
    return tuple(steps)


def front_of(curves: Iterable[Steps]) -> Steps:
    """Return the best of several budget curves at every budget."""
    best = 0.0
    steps: list[tuple[float, float]] = []
    for cost, quality in sorted(step for curve in curves for step in curve):
        if quality <= best:
            continue
        best = quality
        if steps and steps[-1][0] == cost:
            steps.pop()
        steps.append((cost, quality))
    return tuple(steps)


def quality_at(curve: Steps, log2_ops: float) -> float:
    """Return the quality that a budget buys."""
    bought = [quality for cost, quality in curve if cost <= log2_ops]
    return bought[-1] if bought else 0.0


def within(curve: Steps, low: float, high: float) -> Steps:
    """Return a curve between two budgets, from what is bought at ``low`` to what is bought at ``high``.

    Parameters
    ----------
    curve
        A budget curve.
    low, high
        log2 of operations per input.

    Returns
    -------
    tuple of (float, float)
        At least the two ends.
    """
    inner = [(cost, quality) for cost, quality in curve if low < cost < high]
    return ((low, quality_at(curve, low)), *inner, (high, quality_at(curve, high)))
