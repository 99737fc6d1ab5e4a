"""A task's part of the page: its title, its chart, its tables, by both prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.columns import many
from sparsebench.leaderboard.curves import front_of, pooled
from sparsebench.leaderboard.page.chart import Drawn, Known, Mark, Plane, large_chart, small_chart
from sparsebench.leaderboard.page.kinds import kind_of
from sparsebench.leaderboard.page.markup import tag
from sparsebench.leaderboard.page.tables import legend, named, score_table, variant_table, variants_of
from sparsebench.leaderboard.plotted import chart_of, pooled_spot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sparsebench.leaderboard.board import Board, BoardTask, Entry, Point, Steps, TaskScore
    from sparsebench.leaderboard.page.markup import Markup
    from sparsebench.leaderboard.page.tables import Named
    from sparsebench.leaderboard.plotted import Chart

__all__ = ["task_section"]

_PRICED = ("", ", by the profile paper-router-free")  # how a chart's title ends by each price


class _Task(NamedTuple):
    """A task's part of the page."""

    boards: tuple[Board, Board]
    """By each of `PRICES`."""
    number: int
    theory: Mapping[str, float]
    names: Mapping[str, Named]
    """Entry -> how the page refers to it, with its style in this task's charts."""
    charts: tuple[Chart, Chart]
    """By each of `PRICES`."""
    scores: tuple[Mapping[str, TaskScore], Mapping[str, TaskScore]]
    """Entry -> its score, by each of `PRICES`."""

    @property
    def of(self) -> BoardTask:
        """The task itself."""
        return self.boards[0].tasks[self.number]


def task_section(
    boards: tuple[Board, Board], number: int, theory: Mapping[str, float], kinds: Collection[str]
) -> Markup:
    """Return a task's section.

    Parameters
    ----------
    boards
        By each of :data:`sparsebench.leaderboard.page.chart.PRICES`.
    number
        Of a task of them.
    theory
        Instance -> log2 of the operations that are known to be enough for quality 1.
    kinds
        Those of the board's entries.
    """
    task = _task(boards, number, theory)
    board, number, ref = task.boards[0], task.number, task.of.ref
    said = [
        chart.title.removeprefix(f"{ref}: ").removesuffix(by)
        for chart, by in zip(task.charts, _PRICED, strict=True)
    ]
    figure = tag("figure", _large(task, said[0]), tag("figcaption", _caption(board, number)), legend(kinds))
    free = {e.submission: (place, s) for place, (e, s) in enumerate(task.boards[1].ranked(number))}
    return tag(
        "section",
        tag(
            "h2",
            tag("span", ref, class_="ref"),
            tag("span", f" {said[0]}", class_="all"),
            tag("span", f" {said[1]}, with the router left out", class_="free"),
            id=f"h{number}",
        ),
        figure,
        score_table(board, number, free, task.names),
        tag(
            "details",
            tag("summary", "Instance by instance"),
            tag("div", *_multiples(task), class_="multiples"),
        ),
        tag("details", tag("summary", "All variants"), variant_table(board, number, task.names)),
        id=f"task={ref}",
        data_task=ref,
        aria_labelledby=f"h{number}",
    )


def _task(boards: tuple[Board, Board], number: int, theory: Mapping[str, float]) -> _Task:
    charts = (chart_of(boards[0], number), chart_of(boards[1], number))
    styles: dict[str, str] = {}
    for curve in charts[0].curves:
        grey = "reference" if curve.is_reference else "told" if curve.is_told else None
        styles[curve.submission] = grey or f"s{sum(style.startswith('s') for style in styles.values())}"
    scores = (_scores(boards[0], number), _scores(boards[1], number))
    return _Task(boards, number, theory, named(boards[0], styles), charts, scores)


def _caption(board: Board, number: int) -> str:
    task = board.tasks[number]
    facts = [many(len(task.instances), "instance"), many(board.seeds, "seed")]
    if board.preliminary:
        facts.append(f"preliminary: it should have {board.wanted_seeds}")
    if task.reference is not None:
        facts.append(f"dashed grey: {task.reference}, the dense reference")
    return (
        f"{', '.join(facts)}. A line is the quality that a budget buys, the mean over the instances: the "
        "area under it, within the frame, is the score. The wide band is the most that any ranked entry "
        "buys. Marks are variants, at what pays for them on every instance."
    )


def _large(task: _Task, said: str) -> Markup:
    plane = Plane(task.of, 560.0, 320.0)
    front, front_free = (
        front_of(pooled(s.curves) for e, s in board.ranked(task.number) if not e.uses_tags)
        for board in task.boards
    )
    by_all, by_free = (chart.counted for chart in task.charts)
    known = Known((front, front_free), _theory(task), (by_all, by_free))
    named = f"Quality against operations on {task.of.ref}"
    told = f"{said}. Lines: {', '.join(curve.label for curve in task.charts[0].curves)}."
    return large_chart(plane, _drawn(task, None), _marks(task, plane), known, named=named, told=told)


def _marks(task: _Task, plane: Plane) -> list[Mark]:
    """Return the variants that the plane shows, in the order of the table's rows."""
    free = {
        (name, point.variant): bought[0]
        for name, score in task.scores[1].items()
        for point in score.points
        if (bought := pooled_spot(point.bought)) is not None
    }
    marks = []
    for row, entry, point in variants_of(task.boards[0], task.number):
        bought = pooled_spot(point.bought)
        if bought is None or not plane.holds(bought[0]):
            continue
        without = free.get((entry.submission, point.variant), bought[0])
        own = task.names[entry.submission]
        told = _told(entry, point, bought, without)
        marks.append(Mark(own.number, kind_of(entry), row, told, (bought[0], without), bought[1], own.style))
    return marks


def _told(entry: Entry, point: Point, bought: tuple[float, float], free: float) -> str:
    """Say what a mark stands for: the place where it is drawn, which is not the mean of the table."""
    cost, quality = bought
    without = f" ({2.0**free:,.0f} without the router)" if free != cost else ""
    return f"{entry.submission} {point.variant}: {2.0**cost:,.0f} operations{without}, quality {quality:.3f}"


def _multiples(task: _Task) -> Iterator[Markup]:
    plane = Plane(task.of, 150.0, 90.0, left=6.0, top=4.0, digits=0)
    for place, instance in enumerate(task.of.instances):
        known = ((task.theory[instance], 1.0),) if instance in task.theory else ()
        chart = small_chart(plane, _drawn(task, place), known, named=f"{instance}: the same entries' curves")
        yield tag("figure", chart, tag("figcaption", instance))


def _drawn(task: _Task, place: int | None) -> list[Drawn]:
    """Return the entries' curves on an instance, or pooled over all."""
    drawn = []
    for curve in task.charts[0].curves:
        own = task.names[curve.submission]
        by_all, by_free = (_curve(scores.get(curve.submission), place) for scores in task.scores)
        drawn.append(Drawn(own.number, curve.label, own.style, (by_all, by_free)))
    return drawn


def _scores(board: Board, number: int) -> dict[str, TaskScore]:
    return {entry.submission: score for entry, score in board.ranked(number)}


def _curve(score: TaskScore | None, place: int | None) -> Steps:
    if score is None:
        return ()
    return pooled(score.curves) if place is None else score.curves[place]


def _theory(task: _Task) -> Steps:
    """Return what is known to be enough on all instances; nothing where it is not known for each."""
    instances = task.of.instances
    if not all(instance in task.theory for instance in instances):
        return ()
    return pooled([((task.theory[instance], 1.0),) for instance in instances])
