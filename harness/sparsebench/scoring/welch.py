"""Two scores with spreads of their own: Welch's test, and means of scores over tasks.

Both combine variances of unequal sizes into one with Satterthwaite's degrees of freedom,

    df = (sum of v_i)^2 / sum of v_i^2 / df_i,

which composes: what is combined in two steps has the same degrees of freedom as in one.

B. L. Welch, The generalization of "Student's" problem when several different population variances are
involved, Biometrika 34 (1947) 28-35. F. E. Satterthwaite, An approximate distribution of estimates of
variance components, Biometrics Bulletin 2 (1946) 110-114.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import UsageError
from sparsebench.scoring.student import t_quantile, t_two_sided

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.scoring.jackknife import SeededScore

__all__ = ["Estimate", "estimate_bounds", "estimate_of", "mean_estimate", "welch_test"]


class Estimate(NamedTuple):
    """A score and its precision."""

    score: float
    """In [0, 1]."""
    variance: float | None
    """The squared standard error; 0 if the score is exact, None with one seed, which does not show it."""
    df: float
    """Degrees of freedom of the variance; infinite where it is 0, 0 where there is none."""


def estimate_of(scored: SeededScore) -> Estimate:
    """Return a task's score with its variance, which has m - 1 degrees of freedom.

    Parameters
    ----------
    scored
        What `score_task` returned.
    """
    if scored.variance is None:
        return Estimate(scored.score, None, 0.0)
    df = len(scored.pseudo_values) - 1.0 if scored.variance else math.inf
    return Estimate(scored.score, scored.variance, df)


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of scores of several tasks, whose seeds are independent of one another.

    Parameters
    ----------
    estimates
        One per task, at least one.

    Returns
    -------
    Estimate
        Without a variance if one of them has none.

    Raises
    ------
    UsageError
        There are none.
    """
    if not estimates:
        raise UsageError("no scores to average", help="give the score of at least one task")
    score = math.fsum(estimate.score for estimate in estimates) / len(estimates)
    variance, df = _sum(estimates)
    return Estimate(score, None if variance is None else variance / len(estimates) ** 2, df)


def estimate_bounds(estimate: Estimate, level: float = 0.95) -> tuple[float, float] | tuple[None, None]:
    """Return the t interval of a score, clipped to [0, 1].

    Parameters
    ----------
    estimate
        A score of a task, or a mean over tasks.
    level
        Coverage, strictly between 0 and 1.

    Returns
    -------
    tuple
        Its two ends, equal where the score is exact; None and None where it has no variance.

    Raises
    ------
    UsageError
        The level is not inside (0, 1).
    """
    if not 0.0 < level < 1.0:
        raise UsageError(f"level is {level}, expected 0 < level < 1", help="95 % is 0.95")
    if estimate.variance is None:
        return None, None
    if not estimate.variance:
        return estimate.score, estimate.score
    half = t_quantile(0.5 + level / 2.0, estimate.df) * math.sqrt(estimate.variance)
    return max(0.0, estimate.score - half), min(1.0, estimate.score + half)


def welch_test(a: Estimate, b: Estimate) -> float | None:
    """Return the two-sided p value of two independent scores being equal in expectation.

    Parameters
    ----------
    a, b
        Scores on one task, or means over the same tasks. One of them may be exact.

    Returns
    -------
    float or None
        None where there is no test: one of the two has no variance, or neither has any spread.
    """
    variance, df = _sum((a, b))
    if not variance:
        return None
    return t_two_sided((a.score - b.score) / math.sqrt(variance), df)


def _sum(estimates: Iterable[Estimate]) -> tuple[float | None, float]:
    """Return the variance of a sum of independent scores, and its degrees of freedom."""
    parts = [(estimate.variance, estimate.df) for estimate in estimates]
    known = [(variance, df) for variance, df in parts if variance is not None]
    if len(known) < len(parts):
        return None, 0.0
    total = math.fsum(variance for variance, _ in known)
    if not total:
        return 0.0, math.inf
    # Shares instead of variances: their squares cannot underflow.
    return total, 1.0 / math.fsum((variance / total) ** 2 / df for variance, df in known)
