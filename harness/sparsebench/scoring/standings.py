"""Standings: which entries beat which others, and the places that follow, on each and over all tasks.

Each task has its family of tests: Holm's correction (Holm 1979) is over the pairs of entries that share the
task and have a test. It keeps the chance of one or more false "beats" on the task at 5 %, under any
dependence between the tests. Adding or removing an entry changes no score, no interval and no unadjusted p
value; it changes how many tests there are, so places may move.

Places are those of `rank_groups`: an entry's best place is 1 + the number of entries that beat it, its worst
the number of entries less those that it beats. No order is invented in between: two entries that no test
separates overlap.

S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6
(1979) 65-70.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.scoring.significance import ROUNDING, Rank, holm, rank_groups
from sparsebench.scoring.welch import Estimate, mean_estimate, welch_test

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["SMALLEST_LEAD", "PairVerdict", "Standings", "compare_entries", "rank_entries", "stand_over_tasks"]

SMALLEST_LEAD = 0.005
"""With a smaller difference of scores no entry beats another, however sure: half a unit of the second
digit."""
_LEVEL = 0.05


class PairVerdict(NamedTuple):
    """The verdict on two entries on a task."""

    first: str
    """Name of an entry."""
    second: str
    """Name of the other, which comes after it in the alphabet."""
    difference: float
    """Score of the first less that of the second."""
    p: float | None
    """Welch's p value; None where there is no test: one seed, or both scores are exact."""
    adjusted: float | None
    """The p value after Holm's correction over the task's tests."""
    winner: str | None
    """The one that beats the other; None if neither does."""


class Standings(NamedTuple):
    """Places on each task and, for entries that enter all tasks, over all tasks."""

    by_task: tuple[dict[str, Rank], ...]
    """Of each task, in the order given: entry -> its places among the entries ranked there."""
    overall: dict[str, Estimate]
    """Of each entry ranked that enters every task: the mean of its scores."""
    ranks: dict[str, Rank]
    """The places of these among one another. An entry that misses a task has none."""


def compare_entries(estimates: Mapping[str, Estimate]) -> tuple[PairVerdict, ...]:
    """Compare all pairs of entries that share a task.

    An entry beats another when it leads by `SMALLEST_LEAD` or more, and Welch's p value is below 5 % after
    Holm's correction. If both scores are exact, only the lead decides. With one seed no entry beats another.

    Parameters
    ----------
    estimates
        Entry -> its score on the task, or its mean over the same tasks as the others'.

    Returns
    -------
    tuple of PairVerdict
        One per pair, in the order of names.
    """
    pairs = list(combinations(sorted(estimates), 2))
    p_values = [welch_test(estimates[first], estimates[second]) for first, second in pairs]
    tests = iter(holm([p for p in p_values if p is not None]).tolist())
    adjusted = [None if p is None else next(tests) for p in p_values]
    return tuple(
        _verdict(pair, estimates, p, corrected)
        for pair, p, corrected in zip(pairs, p_values, adjusted, strict=True)
    )


def rank_entries(estimates: Mapping[str, Estimate]) -> dict[str, Rank]:
    """Return the places that each entry may hold among the given ones.

    Parameters
    ----------
    estimates
        Entry -> its score on the task, or its mean over the same tasks as the others'.

    Returns
    -------
    dict
        Entry -> places. Where no entry beats another, all hold 1 to n.
    """
    names = sorted(estimates)
    place = {name: k for k, name in enumerate(names)}
    beats = np.zeros((len(names), len(names)), dtype=np.bool_)
    for verdict in compare_entries(estimates):
        if verdict.winner is not None:
            loser = verdict.second if verdict.winner == verdict.first else verdict.first
            beats[place[verdict.winner], place[loser]] = True
    return dict(zip(names, rank_groups(beats), strict=True))


def stand_over_tasks(tasks: Sequence[Mapping[str, Estimate]], *, unranked: Collection[str] = ()) -> Standings:
    """Rank entries on each task, and those that enter every task over all of them.

    A mean over the tasks that an entry has chosen cannot be compared with a mean over other tasks.

    Parameters
    ----------
    tasks
        For each task of the board: entry -> its score there. An entry that does not enter the task is left
        out.
    unranked
        Entries of another class, such as those that are given what the others must find out. They have no
        places, and take part in no test; rank them in a separate call, if at all.
    """
    ranked = [{name: e for name, e in task.items() if name not in unranked} for task in tasks]
    everywhere = set.intersection(*map(set, ranked)) if ranked else set()
    overall = {name: mean_estimate([task[name] for task in ranked]) for name in sorted(everywhere)}
    return Standings(tuple(rank_entries(task) for task in ranked), overall, rank_entries(overall))


def _verdict(
    pair: tuple[str, str], estimates: Mapping[str, Estimate], p: float | None, adjusted: float | None
) -> PairVerdict:
    first, second = (estimates[name] for name in pair)
    difference = first.score - second.score
    certain = first.variance == second.variance == 0.0 if adjusted is None else adjusted < _LEVEL
    leads = certain and abs(difference) >= SMALLEST_LEAD - ROUNDING
    return PairVerdict(*pair, difference, p, adjusted, pair[difference < 0] if leads else None)
