"""Significance of several scores: half-widths of intervals, Holm's correction, shared ranks.

The t interval is used and not a percentile bootstrap: over five seeds the bootstrap covers far less than it
claims.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.errors import UsageError
from sparsebench.scoring.student import t_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "ROUNDING",
    "Rank",
    "holm",
    "rank_groups",
    "t_half_width",
]

ROUNDING = 1e-12
"""Scores and qualities lie in [0, 1]: a smaller difference is the order of a sum, and no difference."""

_FEWEST = 2  # fewest values that have a spread


class Rank(NamedTuple):
    """The places that an entry may hold. With equal ends it is alone in its place."""

    best: int
    """1 + the number of entries that beat it."""
    worst: int
    """The number of entries less those it beats."""


def t_half_width(values: ArrayLike, level: float = 0.95) -> float | None:
    """Return half the width of the t interval: quantile * sd / sqrt(m), with m - 1 degrees of freedom.

    Parameters
    ----------
    values
        ``(m,)``, one value per replication (a seed).
    level
        Coverage, strictly between 0 and 1.

    Returns
    -------
    float or None
        None where m < 2.

    Raises
    ------
    UsageError
        The level is not inside (0, 1), or the values are not one finite row of numbers.
    """
    sample = _sample(values)
    if not 0.0 < level < 1.0:
        raise UsageError(f"level is {level}, expected 0 < level < 1", help="95 % is 0.95")
    if len(sample) < _FEWEST:
        return None
    spread = float(np.std(sample, ddof=1))
    return t_quantile(0.5 + level / 2.0, len(sample) - 1) * spread / math.sqrt(len(sample))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return Holm's adjusted p values (Holm 1979), which hold the family's error rate under any dependence.

    Parameters
    ----------
    p_values
        ``(m,)``, in [0, 1].

    Returns
    -------
    numpy.ndarray
        ``(m,)`` float64 in the order given, each at least its own p value and at most 1.

    Raises
    ------
    UsageError
        A p value is not in [0, 1].
    """
    p = _sample(p_values)
    if ((p < 0.0) | (p > 1.0)).any():
        raise UsageError("a p value is outside [0, 1]", help="give probabilities")
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted


def rank_groups(beats: Sequence[Sequence[bool]] | NDArray[np.bool_]) -> list[Rank]:
    """Return the places that each entry may hold, given which entries significantly beat which others.

    Parameters
    ----------
    beats
        ``(N, N)``: ``beats[i][j]`` says that entry i beats entry j. No two entries beat one another.

    Returns
    -------
    list of Rank
        ``best = 1 + number that beat it``, ``worst = N - number it beats``; always ``best <= worst``.

    Raises
    ------
    UsageError
        The table is not square, or two entries beat one another.
    """
    table = np.asarray(beats, dtype=np.bool_)
    if table.size != len(table) ** 2:
        raise UsageError(
            f"comparison table has shape {table.shape}, expected (N, N)", help="compare all pairs"
        )
    table = table.reshape(len(table), len(table))
    if (table & table.T).any():
        raise UsageError(
            "two entries beat one another", help="at most one of beats[i][j], beats[j][i] may hold"
        )
    losses, wins = table.sum(axis=0), table.sum(axis=1)
    return [Rank(1 + int(lost), len(table) - int(won)) for lost, won in zip(losses, wins, strict=True)]


def _sample(values: ArrayLike) -> NDArray[np.float64]:
    sample = np.array(values, dtype=np.float64)
    if sample.ndim != 1 or not np.isfinite(sample).all():
        raise UsageError(
            f"values of shape {sample.shape}, expected one row of finite numbers",
            help="leave out what was not measured",
        )
    return sample
