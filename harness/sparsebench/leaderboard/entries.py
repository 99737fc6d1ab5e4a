"""Scores and places of entries: the statistics of :mod:`sparsebench.scoring` applied to their cells."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.board import Entry, Pair, TaskScore
from sparsebench.leaderboard.ratios import ratios_to, reaches_of
from sparsebench.scoring import (
    SeededScore,
    compare_entries,
    estimate_bounds,
    estimate_of,
    score_task,
    stand_over_tasks,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparsebench.leaderboard.board import BoardTask, Ratio
    from sparsebench.leaderboard.cells import Grid
    from sparsebench.leaderboard.ratios import Reaches
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.scoring import PairVerdict, Rank, Standings

    Grids = Mapping[str, Mapping[str, Grid]]

__all__ = ["make_entries"]


class _Scored(NamedTuple):
    """The figures of a submission on a task before any comparison."""

    grid: Grid
    seeded: SeededScore
    areas: tuple[float, ...]
    reaches: Reaches


def make_entries(
    tasks: Sequence[BoardTask],
    grids: Grids,
    references: Mapping[str, Grid],
    titles: Mapping[str, str],
    prices: PriceList | None,
    *,
    ranked: bool = True,
) -> tuple[tuple[Entry, ...], tuple[tuple[Pair, ...], ...]]:
    """Score submissions, rank them, and compare each with the tasks' references.

    Parameters
    ----------
    tasks
        The board's.
    grids
        Submission -> task -> its cells.
    references
        Task -> the cells of the reference that operations are compared with.
    titles
        Submission -> title, where known.
    prices
        A price list to show as one more column.
    ranked
        Whether there are places.

    Returns
    -------
    tuple of Entry
        Those with a mean over all tasks first, best first; then the others, by name.
    tuple of tuple of Pair
        For each task, the pairs of entries that are ranked there.
    """
    scored = [
        {name: _scored(theirs[task.ref]) for name, theirs in grids.items() if task.ref in theirs}
        for task in tasks
    ]
    estimates = [{name: estimate_of(each.seeded) for name, each in found.items()} for found in scored]
    told = {name for name, theirs in grids.items() if any(grid.uses_tags for grid in theirs.values())}
    unranked = told if ranked else set(grids)
    standings = stand_over_tasks(estimates, unranked=unranked)
    pairs = tuple(
        tuple(
            _pair(verdict, found)
            for verdict in compare_entries({name: e for name, e in known.items() if name not in unranked})
        )
        for known, found in zip(estimates, scored, strict=True)
    )
    columns = [
        _column(task, found, standings.by_task[k], references.get(task.ref), told, prices)
        for k, (task, found) in enumerate(zip(tasks, scored, strict=True))
    ]
    entries = [
        _placed(
            Entry(
                submission=name,
                title=titles.get(name),
                tasks=tuple(column.get(name) for column in columns),
                uses_tags=name in told,
            ),
            standings,
        )
        for name in grids
    ]
    entries.sort(key=lambda e: (e.uses_tags, e.score is None, -(e.score or 0.0), e.submission))
    return tuple(entries), pairs


def _scored(grid: Grid) -> _Scored:
    return _Scored(grid, score_task(grid.cells, grid.task), grid.areas(), reaches_of(grid))


def _placed(entry: Entry, standings: Standings) -> Entry:
    """Add an entry's figures over all tasks, if it enters every task."""
    if entry.submission not in standings.overall:
        return entry
    estimate = standings.overall[entry.submission]
    low, high = estimate_bounds(estimate)
    rank = standings.ranks[entry.submission]
    return replace(entry, score=estimate.score, low=low, high=high, rank=rank)


def _column(
    task: BoardTask,
    scored: Mapping[str, _Scored],
    ranks: Mapping[str, Rank],
    reference: Grid | None,
    told: set[str],
    prices: PriceList | None,
) -> dict[str, TaskScore]:
    """Return the scores of a task: submission -> score."""
    order = sorted(scored, key=lambda name: (name in told, -scored[name].seeded.score, name))
    ahead = {
        name: _ahead(scored[name].areas, scored[after].areas)
        for name, after in pairwise(order)
        if name not in told and after not in told
    }
    ratios = {} if reference is None else _ratios(scored, reference)
    return {
        name: TaskScore(
            task=task.ref,
            score=each.seeded.score,
            low=each.seeded.low,
            high=each.seeded.high,
            exact=each.seeded.exact,
            plain=each.seeded.plain,
            rank=ranks.get(name),
            ahead=ahead.get(name),
            areas=each.areas,
            values=each.seeded.pseudo_values,
            ratios=ratios.get(name, ()),
            router_share=each.grid.router_share(),
            tail=each.grid.tail(),
            seeds=each.grid.seen(),
            points=tuple(each.grid.point(variant, prices) for variant in each.grid.variants),
            curves=each.grid.curves(),
            reaches=each.reaches,
        )
        for name, each in scored.items()
    }


def _ratios(scored: Mapping[str, _Scored], reference: Grid) -> dict[str, tuple[Ratio, ...]]:
    shown = (each.reaches for each in scored.values() if each.grid is reference)
    base = next(shown, None) or reaches_of(reference)  # not shown where only other entries are
    return {name: ratios_to(base, each.reaches) for name, each in scored.items()}


def _pair(verdict: PairVerdict, scored: Mapping[str, _Scored]) -> Pair:
    first, second = scored[verdict.first].areas, scored[verdict.second].areas
    return Pair(**verdict._asdict(), better=_ahead(first, second)[0], worse=_ahead(second, first)[0])


def _ahead(own: tuple[float, ...], others: tuple[float, ...]) -> tuple[int, int]:
    """Return the number of instances on which an area is the larger one, and that of all instances."""
    return sum(a > b for a, b in zip(own, others, strict=True)), len(own)
