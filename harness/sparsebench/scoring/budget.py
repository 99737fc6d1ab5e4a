"""The quality that a budget buys: budget curves, their areas, and the score of a task.

A cell (one variant, instance and seed) buys its quality for its cost; a smaller budget buys nothing of it. So
the *budget curve* of a submission on an instance is

    Q(x) = max over variants of the mean over the m seeds of q * [cost <= x],

where a failed or missing cell has q = 0. Each Q(x) is the result of one variant, over all seeds, on a machine
that grants x operations: no mean of costs is taken, so there are no points between cells that no machine can
reach. If a variant fails in some cells, answers them cheaply and badly, or costs more there, its curve is
nowhere above that of a variant which does not.

The *area* is the mean of Q over log2 x in the task's box. A variant's own curve is a staircase with a step at
the cost of each of its cells, and the largest of several staircases is the front of all their steps; the area
under it is what `hypervolume` gives for the steps as points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import UsageError
from sparsebench.scoring.hypervolume import hypervolume, pareto_front

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sparsebench.scoring.hypervolume import ScoringBox

__all__ = [
    "MOST_BYTES",
    "MOST_VARIANTS",
    "BudgetCell",
    "Variants",
    "budget_area",
    "budget_curve",
    "count_seeds",
    "task_area",
]

MOST_VARIANTS = 16
"""Variants that a submission may have: the best of many equal ones is better than each, by luck."""

MOST_BYTES = 16 << 20
"""Bytes of memory that the box has room for: a cell whose model stores more buys nothing. Without this side
tables win everywhere: in a few dimensions a grid of cells that a dense teacher has filled needs next to no
operations."""


class BudgetCell(NamedTuple):
    """A cell that ran."""

    cost: float
    """Operations per input, at least 0. Less than one counts as one."""
    quality: float
    """In [0, 1]."""


Variants = Sequence[Sequence[tuple[float, float] | None]]
"""A submission on one instance, ``(v, m)``: of each variant, for each of the board's m seeds in their order,
(operations per input, quality), such as a `BudgetCell`, or None for a cell that failed or is missing."""


def budget_curve(variants: Variants) -> NDArray[np.float64]:
    """Return the steps of Q, the quality that a budget buys.

    Parameters
    ----------
    variants
        ``(v, m)``: a submission's `Variants` on the instance, at least one.

    Returns
    -------
    numpy.ndarray
        ``(k, 2)`` float64, both columns strictly increasing: log2 of operations per input, and the Q that
        holds from there to the next step. Before the first step Q is 0.

    Raises
    ------
    UsageError
        There are more than `MOST_VARIANTS` variants or no seeds, the variants have different numbers of
        seeds, or a cell's cost or quality is not valid.
    """
    count_seeds(variants)
    front = pareto_front(_steps(variants))
    return front[front[:, 1] > 0.0] if len(front) else front


def budget_area(variants: Variants, box: ScoringBox) -> float:
    """Return the mean of Q over log2 of operations in the box.

    Exact except for rounding: a sum over the steps of Q. The contribution of a cell does not depend on the
    order of seeds or variants, to the last digit.

    Parameters
    ----------
    variants
        ``(v, m)``: a submission's `Variants` on the instance. Without variants the area is 0.
    box
        Anything with ``log2_ops_low`` and ``log2_ops_high``.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    UsageError
        As for `budget_curve`; or the box has no width.
    """
    if len(variants):
        count_seeds(variants)
    return hypervolume(_steps(variants), box)


def task_area(instances: Sequence[Variants], box: ScoringBox) -> float:
    """Return a submission's plain score on a task: the mean of its areas over the board's instances.

    Parameters
    ----------
    instances
        ``(i, v, m)``: the submission's `Variants` on each of the board's instances. An instance without rows
        counts as well, with area 0.
    box
        The task's frozen box.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    UsageError
        As for `budget_area`; or there are no instances.
    """
    if not len(instances):
        raise UsageError("no instances to score on", help="a board has at least one instance of each task")
    return math.fsum(budget_area(variants, box) for variants in instances) / len(instances)


def count_seeds(variants: Variants) -> int:
    """Return m, the number of seeds that each variant has a place for.

    Raises
    ------
    UsageError
        There are no variants or more than `MOST_VARIANTS`, no seeds, or different numbers of them.
    """
    if not 1 <= len(variants) <= MOST_VARIANTS:
        raise UsageError(
            f"{len(variants)} variants of a submission, expected 1 to {MOST_VARIANTS}",
            help="keep the variants that trace its curve of quality and cost",
        )
    seeds = sorted({len(cells) for cells in variants})
    if len(seeds) > 1 or not seeds[0]:
        raise UsageError(
            f"variants have cells of {' and '.join(map(str, seeds))} seeds, expected as many of each",
            help="give None for a cell that failed or is missing",
        )
    return seeds[0]


def _steps(variants: Variants) -> list[tuple[float, float]]:
    return [step for cells in variants for step in _staircase(cells)]


def _staircase(cells: Sequence[tuple[float, float] | None]) -> list[tuple[float, float]]:
    """Return (log2 cost, mean quality of cells up to that cost) for each cell of a variant that ran."""
    ran = sorted(_checked(cell) for cell in cells if cell is not None)
    # Each sum is rounded once, whatever the order of seeds; a running sum would be rounded at every step.
    return [
        (math.log2(max(1.0, cost)), math.fsum(quality for _, quality in ran[: k + 1]) / len(cells))
        for k, (cost, _) in enumerate(ran)
    ]


def _checked(cell: tuple[float, float]) -> tuple[float, float]:
    cost, quality = cell
    if not (0.0 <= cost < math.inf and 0.0 <= quality <= 1.0):
        raise UsageError(
            f"a cell has cost {cost} and quality {quality}, expected >= 0 and in [0, 1]",
            help="a cell that has neither is None",
        )
    return cost, quality
