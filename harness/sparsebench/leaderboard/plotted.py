"""What a chart of a task shows, on any medium: its title, the entries that are lines, the points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import NotFoundError, UsageError
from sparsebench.ground.meant import did_you_mean
from sparsebench.leaderboard.cells import COUNTED
from sparsebench.leaderboard.columns import short_number
from sparsebench.leaderboard.curves import front_of, pooled, quality_at, within
from sparsebench.leaderboard.findings import TABLES, TREES
from sparsebench.leaderboard.ratios import most_telling

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sparsebench.leaderboard.board import Board, BoardTask, Entry, Steps, TaskScore

    Each = tuple[Entry, TaskScore]

__all__ = [
    "MOST_CURVES",
    "Chart",
    "Curve",
    "Spot",
    "chart_of",
    "charts_by_instance",
    "check_chosen",
    "pooled_spot",
]

MOST_CURVES = 8
"""How many entries a chart shows as lines: as many as can be told apart without colour."""

_SAME = 1.05  # a ratio up to this, to three digits, is no difference to speak of


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """An entry that is a line."""

    submission: str
    """Name of the entry, as it is in rows."""
    steps: Steps
    """Its budget curve: that of the instance, or pooled over the task's instances."""
    score: float
    """The area under it in the box: the entry's score on the task, or its area on the instance."""
    is_reference: bool = False
    """Whether it is the dense submission that operations are compared with."""
    is_told: bool = False
    """Whether it is given the domain of every input, and so in a class of its own."""

    @property
    def label(self) -> str:
        """The name as the chart shows it."""
        return f"{self.submission} (told)" if self.is_told else self.submission


class Spot(NamedTuple):
    """A variant of an entry that is no line: what pays for it on every instance, and what it buys."""

    submission: str
    """Name of the entry."""
    variant: str
    """Name of the variant."""
    log2_ops: float
    """log2 of the operations per input that pay for all of its cells."""
    quality: float
    """Its mean quality; what failed counts 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of one task, or of one instance of it."""

    task: str
    """Task reference."""
    title: str
    """One sentence: what it shows; of an instance, its name."""
    low: float
    """Cheap edge of the task's box, log2 of operations per input."""
    high: float
    """Expensive edge."""
    counted: str
    """What the axis of costs counts."""
    curves: tuple[Curve, ...]
    """The lines, best score first."""
    spots: tuple[Spot, ...]
    """The points."""
    instances: int = 1
    """The number of instances of the task."""
    instance: str | None = None
    """The instance; None for all of the task's, pooled."""

    @property
    def others(self) -> int:
        """The number of entries that are points."""
        return len({spot.submission for spot in self.spots})


def check_chosen(board: Board, chosen: Sequence[str]) -> None:
    """Check the entries that are requested as lines.

    Raises
    ------
    NotFoundError
        One is not on the board.
    UsageError
        There are more than `MOST_CURVES`.
    """
    known = [entry.submission for entry in board.entries]
    for name in chosen:
        if name not in known:
            mend = did_you_mean(name, known) or f"there are: {', '.join(sorted(known))}"
            raise NotFoundError(f"no entry of this board is called {name!r}", help=mend)
    if len(set(chosen)) > MOST_CURVES:
        raise UsageError(
            f"expected at most {MOST_CURVES} entries as lines, got {len(set(chosen))}",
            help="leave some out: they are shown as points",
        )


def chart_of(board: Board, number: int, *, chosen: Sequence[str] = (), most: int = MOST_CURVES) -> Chart:
    """Return the chart of a task, over all its instances.

    Parameters
    ----------
    board
        The same rows make the same chart.
    number
        Of the task, in the board's order.
    chosen
        The entries that are lines, beside the dense reference; without it: those that are best at some
        budget, the reference, and the best routed entry, tree and table.
    most
        How many lines at most.
    """
    task, found = board.tasks[number], board.ranked(number)
    title = _title(board, task, [each for each in found if not chosen or _name(each) in chosen])
    return _chart(board, number, _lines(task, found, chosen, most), title, None)


def charts_by_instance(board: Board, number: int, *, chosen: Sequence[str] = ()) -> list[Chart]:
    """Return a chart for each instance of a task, all with the same entries as lines.

    Parameters
    ----------
    board, number, chosen
        As for `chart_of`.
    """
    task = board.tasks[number]
    names = _lines(task, board.ranked(number), chosen, MOST_CURVES)
    return [_chart(board, number, names, name, place) for place, name in enumerate(task.instances)]


def _chart(board: Board, number: int, names: Collection[str], title: str, place: int | None) -> Chart:
    """Return a chart of the instance at a place; of all instances without one."""
    task, found = board.tasks[number], board.ranked(number)
    return Chart(
        task=task.ref,
        instance=None if place is None else task.instances[place],
        instances=len(task.instances),
        title=title,
        low=task.log2_ops_low,
        high=task.log2_ops_high,
        counted=COUNTED[board.profile],
        curves=tuple(_curve(each, task, place) for each in found if _name(each) in names),
        spots=tuple(_spots(task, [each for each in found if _name(each) not in names], place)),
    )


def _curve(each: Each, task: BoardTask, place: int | None) -> Curve:
    entry, score = each
    return Curve(
        submission=entry.submission,
        steps=pooled(score.curves) if place is None else score.curves[place],
        score=score.score if place is None else score.areas[place],
        is_reference=entry.submission == task.reference,
        is_told=entry.uses_tags,
    )


def _spots(task: BoardTask, found: Iterable[Each], place: int | None) -> list[Spot]:
    """Return the points that are in the box and that buy anything."""
    spots = [
        Spot(entry.submission, point.variant, *bought)
        for entry, score in found
        for point in score.points
        if (bought := pooled_spot(point.bought) if place is None else point.bought[place]) is not None
    ]
    return sorted(spot for spot in spots if task.log2_ops_low <= spot.log2_ops <= task.log2_ops_high)


def pooled_spot(bought: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    """Return the last step of a variant's pooled budget curve; None if it buys nothing.

    Parameters
    ----------
    bought
        `Point.bought`: on each instance, log2 of what pays for all its cells, and what they buy.
    """
    paid = [each for each in bought if each is not None]
    if not paid:
        return None
    return max(cost for cost, _ in paid), math.fsum(quality for _, quality in paid) / len(bought)


def _name(each: Each) -> str:
    return each[0].submission


def _lines(task: BoardTask, found: Sequence[Each], chosen: Sequence[str], most: int) -> set[str]:
    """Return the names of the entries that are lines."""
    if chosen:
        wanted = [*chosen, *filter(None, [task.reference])]
        return {name for name in dict.fromkeys(wanted[:most]) if name in map(_name, found)}
    shown = [each for each in found if quality_at(pooled(each[1].curves), task.log2_ops_high) > 0.0]
    front = _front(task, [each for each in shown if not each[0].uses_tags])
    kinds: tuple[Callable[[Entry, TaskScore], bool], ...] = (
        lambda entry, _: entry.submission == task.reference,
        lambda entry, score: bool(score.router_share) and entry.submission not in TREES | TABLES,
        lambda entry, _: entry.submission in TREES,
        lambda entry, _: entry.submission in TABLES,
    )
    best = [next((_name(each) for each in shown if wanted(*each)), None) for wanted in kinds]
    told = [_name(each) for each in shown if each[0].uses_tags]
    return set(list(dict.fromkeys(filter(None, [*front[:1], *best, *front[1:], *told[:1]])))[:most])


def _front(task: BoardTask, found: Sequence[Each]) -> list[str]:
    """Return the entries that buy most at some budget in the box: those that do so over most of it first."""
    low, high = task.log2_ops_low, task.log2_ops_high
    curves = {_name(each): pooled(each[1].curves) for each in found}
    held = dict.fromkeys(curves, 0.0)
    for (cost, quality), (after, _) in pairwise(within(front_of(curves.values()), low, high)):
        if quality > 0.0:
            held[next(name for name, curve in curves.items() if quality_at(curve, cost) == quality)] += (
                after - cost
            )
    return sorted((name for name in held if held[name] > 0.0), key=lambda name: -held[name])


def _title(board: Board, task: BoardTask, found: Sequence[Each]) -> str:
    """Say what the best entry buys, beside the dense reference where both reach a quality."""
    buying = [each for each in found if not each[0].uses_tags and each[1].score > 0.0]
    by = "" if board.profile == "ops" else f", by the profile {board.profile}"
    if not buying:
        return f"{task.ref}: no entry buys any quality{by}"
    leader, score = buying[0]
    ratio = None if leader.submission == task.reference else most_telling(score.ratios)
    if ratio is not None and ratio.times is not None:
        on = f" on {ratio.instances} of {len(task.instances)} instances"
        some = "" if ratio.instances == len(task.instances) else on
        at = f"at quality {ratio.quality:g}".replace("0.", ".")
        many = _times(ratio.times, task.reference or "")
        return f"{task.ref}: {leader.submission} takes {many} {at}{some}{by}"
    after = f", {buying[1][0].submission} {buying[1][1].score:.3f}" if len(buying) > 1 else ""
    return f"{task.ref}: {leader.submission} scores {score.score:.3f}{after}{by}"


def _times(times: float, reference: str) -> str:
    if 1 / _SAME < times < _SAME:
        return f"as many operations as {reference}"
    more, value = ("fewer", times) if times > 1 else ("more", 1 / times)
    return f"{short_number(value)} times {more} operations than {reference}"
