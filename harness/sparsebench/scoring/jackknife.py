"""The jackknife (Miller 1974; Efron and Stein 1981): how far the score of a task depends on its seeds.

Let theta be the plain score of m seeds, and theta_(-s) the one without seed s. The pseudo-values

    p_s = m * theta - (m - 1) * theta_(-s)

are treated as m independent observations of the score (Tukey 1958). A score is their mean, which removes most
of the luck of being the best of several variants; if several variants are equal, about half of it.

If variants are close to each other the spread of the pseudo-values is too small. The removed luck, theta -
mean(p), shows this: it is 0 if the same variants are best whichever seed is left out. It is added in
quadrature: half-width^2 = t_{m-1}^2 * var(p) / m + luck^2. So the interval contains theta as well.

For budget curves more holds, whatever the cells. With one variant p_s is the area of its cell of seed s, and
the score is theta. In general

- 0 <= p_s <= 1: m * Q is at least (m - 1) * Q_(-s), because the cells of seed s take nothing away; and
  (m - 1) * Q_(-s) is at least the sum over the other seeds of the variant that is best at x;
- mean(p) <= theta: Q is convex in the weights of the seeds, so theta is at most the mean of theta_(-s);
- where seed s failed in all cells, p_s = 0, and the other p are what they are without this seed: the score is
  (m - 1) / m of what it is without it.

R. G. Miller, The jackknife - a review, Biometrika 61 (1974) 1-15. B. Efron and C. Stein, The jackknife
estimate of variance, Annals of Statistics 9 (1981) 586-596. J. W. Tukey, Bias and confidence in not-quite
large samples (abstract), Annals of Mathematical Statistics 29 (1958) 614.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.errors import UsageError
from sparsebench.scoring.budget import count_seeds, task_area
from sparsebench.scoring.significance import ROUNDING
from sparsebench.scoring.student import t_quantile
from sparsebench.scoring.welch import Estimate, estimate_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.scoring.budget import Variants
    from sparsebench.scoring.hypervolume import ScoringBox

__all__ = ["SeededScore", "pseudo_values", "score_over_seeds", "score_task"]

_LEVEL = 0.95


class SeededScore(NamedTuple):
    """The score of a submission on a task, on the board's instances, over the board's seeds."""

    score: float
    """The printed, ranked and exported score: the mean of the pseudo-values, in [0, 1]."""
    low: float | None
    """Lower end of the interval, at least 0; None with one seed."""
    high: float | None
    """Upper end of the interval, at most 1; None with one seed."""
    plain: float
    """theta: the score of all seeds together, never below ``score``."""
    exact: bool
    """Whether all of two or more seeds give one score, so that there is nothing to be uncertain of."""
    variance: float | None
    """The squared standard error; 0 where the score is exact, None with one seed."""
    pseudo_values: tuple[float, ...]
    """One per seed, in [0, 1]."""


def score_task(instances: Sequence[Variants], box: ScoringBox, level: float = 0.95) -> SeededScore:
    """Score a submission on a task.

    Parameters
    ----------
    instances
        ``(i, v, m)``: the submission's cells on each of the board's instances, for the board's m seeds.
        On an instance without variants its area is 0; it must have variants on at least one.
    box
        The task's frozen box.
    level
        Coverage of the interval, strictly between 0 and 1.

    Returns
    -------
    SeededScore
        With one seed, its plain score without an interval.

    Raises
    ------
    UsageError
        There are no cells at all; instances or variants have different numbers of seeds; there are more than
        16 variants; a cost or a quality is not valid; the box has no width; the level is not inside (0, 1).
    """
    seeds = _common_seeds(instances)
    plain = task_area(instances, box)
    without = [] if seeds == 1 else [task_area(_without(instances, s), box) for s in range(seeds)]
    return score_over_seeds(plain, without, level)


def score_over_seeds(plain: float, without: Sequence[float], level: float = 0.95) -> SeededScore:
    """Make a score from the plain score and those that leave out a seed.

    Parameters
    ----------
    plain
        theta, in [0, 1].
    without
        ``(m,)`` theta_(-s) for each seed s; empty with one seed, which cannot be left out.
    level
        Coverage of the interval, strictly between 0 and 1.

    Raises
    ------
    UsageError
        ``without`` has one item, one of the numbers is not finite, or the level is not inside (0, 1).
    """
    if not without:
        return SeededScore(plain, None, None, plain, exact=False, variance=None, pseudo_values=(plain,))
    values = pseudo_values(plain, without)
    if all(abs(value - plain) <= ROUNDING for value in values):
        same = (plain,) * len(values)
        return SeededScore(plain, plain, plain, plain, exact=True, variance=0.0, pseudo_values=same)
    m, score = len(values), min(plain, _held(math.fsum(values) / len(values)))  # above it only by rounding
    # At 95 % the luck enters the half-width as it is; other levels, and tests, have the same standard error.
    luck = (plain - score) / t_quantile(0.5 + _LEVEL / 2.0, m - 1)
    variance = float(np.var(values, ddof=1)) / m + luck**2
    low, high = estimate_bounds(Estimate(score, variance, m - 1.0), level)
    return SeededScore(score, low, high, plain, exact=False, variance=variance, pseudo_values=values)


def pseudo_values(plain: float, without: Sequence[float]) -> tuple[float, ...]:
    """Return the jackknife's pseudo-values, m * theta - (m - 1) * theta_(-s), in the order given.

    Parameters
    ----------
    plain
        theta, of all m observations.
    without
        ``(m,)`` theta_(-s): the value without observation s, for each s; m >= 2.

    Raises
    ------
    UsageError
        There are fewer than two, or one of the numbers is not finite.
    """
    m = len(without)
    if m < 2:  # noqa: PLR2004 - what is left after one is left out must be something
        raise UsageError(f"the jackknife of {m} seeds, expected at least 2", help="one seed has no interval")
    if not all(map(math.isfinite, (plain, *without))):
        raise UsageError("a score is not finite, expected numbers in [0, 1]", help="score cells that ran")
    return tuple(m * plain - (m - 1) * part for part in without)


def _common_seeds(instances: Sequence[Variants]) -> int:
    counts = sorted({count_seeds(variants) for variants in instances if len(variants)})
    if len(counts) != 1:
        raise UsageError(
            f"instances have cells of {' and '.join(map(str, counts)) or 'no'} seeds, expected one number",
            help="a board has the same seeds for all entries: give None for a cell that is missing",
        )
    return counts[0]


def _without(instances: Sequence[Variants], seed: int) -> list[list[list[tuple[float, float] | None]]]:
    return [[[*cells[:seed], *cells[seed + 1 :]] for cells in variants] for variants in instances]


def _held(value: float) -> float:
    return min(1.0, max(0.0, value))
