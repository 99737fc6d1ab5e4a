"""Two entries of a board, side by side: a pure function from a board to a record.

All verdicts are the board's own (`Board.pairs`), so they stand under Holm's correction over all of a task's
pairs. The comparison of B and A is that of A and B, mirrored.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sparsebench.errors import NotFoundError, UsageError
from sparsebench.ground.meant import did_you_mean
from sparsebench.leaderboard.escape import for_terminal
from sparsebench.leaderboard.ratios import ratios_to

if TYPE_CHECKING:
    from sparsebench.leaderboard.board import Board, Entry, Pair, Ratio, TaskScore

__all__ = ["Comparison", "Lead", "Side", "TaskComparison", "Verdict", "compare", "comparison_document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two on a task."""

    rank_best: int | None
    """The best place that it may hold on the board; None without a rank."""
    rank_worst: int | None
    """The worst."""
    score: float
    """Its score."""
    low: float | None
    """Lower end of the 95 % interval over seeds; None with one seed."""
    high: float | None
    """Upper end."""
    exact: bool
    """Whether all of two or more seeds give one score."""
    router_share: float | None
    """The router's part of the operations; None where no row says so."""
    tail: float | None
    """The 95th percentile of operations per input over their mean."""
    memory_bytes: int | None
    """Bytes that the largest of its models stores; None where no row says so."""
    failed_share: float
    """The share of cells that failed or are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The two on an instance."""

    instance: str
    """Name of the instance."""
    first: float
    """Area under the budget curve of the first."""
    second: float
    """That of the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The board's verdict on the two on a task."""

    p: float | None
    """Welch's p value; None where there is no test: one seed, or both scores are exact."""
    adjusted: float | None
    """The p value after Holm's correction over the pairs of the board's task."""
    winner: str | None
    """Name of the one that beats the other; None where they are not told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskComparison:
    """The two on a task that both enter."""

    task: str
    """Task reference."""
    first: Side
    """The first entry."""
    second: Side
    """The second."""
    difference: float
    """Score of the first less that of the second."""
    verdict: Verdict | None
    """None where one of them is not ranked: it is told the domain."""
    instances: tuple[Lead, ...]
    """All instances of the board, in its order."""
    ratios: tuple[Ratio, ...]
    """At each of :data:`sparsebench.leaderboard.board.QUALITIES`: operations of the first divided by those of
    the second."""

    @property
    def ahead(self) -> tuple[tuple[Lead, ...], tuple[Lead, ...]]:
        """The instances on which the first has the larger area, and those on which the second has."""
        first = tuple(lead for lead in self.instances if lead.first > lead.second)
        return first, tuple(lead for lead in self.instances if lead.second > lead.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two entries of a board."""

    first: str
    """Name of the first entry."""
    second: str
    """Name of the second."""
    seeds: int
    """The number of seeds of the board."""
    preliminary: bool
    """Whether these are fewer than it should have."""
    scoring_version: int | None
    """The rules that scores are by."""
    cost_model: int | None
    """The standard price list."""
    tasks: tuple[TaskComparison, ...]
    """The tasks that both enter, in the board's order."""
    only_first: tuple[str, ...]
    """References of the tasks of the board that only the first enters."""
    only_second: tuple[str, ...]
    """Those that only the second enters."""
    notes: tuple[str, ...]
    """What the board notes of the two, such as cells that are missing."""


def compare(board: Board, first: str, second: str) -> Comparison:
    """Compare two entries on every task that both enter.

    Parameters
    ----------
    board
        A board that has both.
    first, second
        Names of two entries.

    Raises
    ------
    NotFoundError
        The board has no entry of a name, or they share no task.
    UsageError
        Both names are the same.
    """
    if first == second:
        raise UsageError(f"expected two entries, got {first!r} twice", help="give the name of another one")
    one, other = _entry(board, first), _entry(board, second)
    both, only_first, only_second = [], [], []
    for number, task in enumerate(board.tasks):
        mine, theirs = one.tasks[number], other.tasks[number]
        if mine is not None and theirs is not None:
            both.append(_on_task(board, number, (first, mine), (second, theirs)))
        elif mine is not None:
            only_first.append(task.ref)
        elif theirs is not None:
            only_second.append(task.ref)
    if not both:
        message = f"{first!r} and {second!r} enter no task of this board together"
        raise NotFoundError(message, help=_entered((first, only_first), (second, only_second)))
    return Comparison(
        first=first,
        second=second,
        seeds=board.seeds,
        preliminary=board.preliminary,
        scoring_version=board.scoring_version,
        cost_model=board.cost_model,
        tasks=tuple(both),
        only_first=tuple(only_first),
        only_second=tuple(only_second),
        notes=tuple(note for note in board.notes if note.startswith(_noted(first, second))),
    )


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison, ready for ``json.dumps``."""
    return asdict(comparison)


def _entry(board: Board, name: str) -> Entry:
    known = {entry.submission: entry for entry in board.entries}
    if name not in known:
        listed = f"there are: {', '.join(map(for_terminal, sorted(known)))}"
        mend = " ".join(filter(None, [did_you_mean(name, known), listed]))
        raise NotFoundError(f"no entry of this board is called {name!r}", help=mend)
    return known[name]


def _noted(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}{mark}" for name in names for mark in (":", "/"))


def _entered(*each: tuple[str, list[str]]) -> str:
    return "; ".join(f"{for_terminal(name)} enters {', '.join(refs)}" for name, refs in each)


def _on_task(
    board: Board, number: int, one: tuple[str, TaskScore], other: tuple[str, TaskScore]
) -> TaskComparison:
    (first, mine), (second, theirs) = one, other
    pair = _pair(board.pairs[number], {first, second})
    return TaskComparison(
        task=mine.task,
        first=_side(mine),
        second=_side(theirs),
        difference=mine.score - theirs.score,
        verdict=None if pair is None else Verdict(p=pair.p, adjusted=pair.adjusted, winner=pair.winner),
        instances=tuple(
            Lead(instance=name, first=a, second=b)
            for name, a, b in zip(board.tasks[number].instances, mine.areas, theirs.areas, strict=True)
        ),
        ratios=ratios_to(mine.reaches, theirs.reaches),
    )


def _pair(pairs: tuple[Pair, ...], names: set[str]) -> Pair | None:
    return next((pair for pair in pairs if {pair.first, pair.second} == names), None)


def _side(score: TaskScore) -> Side:
    sizes = (point.memory_bytes for point in score.points)
    return Side(
        rank_best=None if score.rank is None else score.rank.best,
        rank_worst=None if score.rank is None else score.rank.worst,
        score=score.score,
        low=score.low,
        high=score.high,
        exact=score.exact,
        router_share=score.router_share,
        tail=score.tail,
        memory_bytes=max((size for size in sizes if size is not None), default=None),
        failed_share=score.failed_share,
    )
