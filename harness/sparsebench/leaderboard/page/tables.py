"""The board's tables as HTML, with the cells of the Markdown ones: both read the same columns."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sparsebench.leaderboard.columns import by_cost, cells_of, columns_of, mean_of, places, short_number
from sparsebench.leaderboard.page.kinds import KINDS, SHAPES, kind_of
from sparsebench.leaderboard.page.markup import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.leaderboard.board import Board, Entry, Point, TaskScore

__all__ = ["legend", "overall_table", "score_table", "shape_of", "variant_table"]

_WORDS = frozenset({"submission", "kind"})
"""Columns that are sorted as words; the others by the number that their cells begin with."""


def score_table(
    board: Board, number: int, free: Mapping[str, tuple[int, float]], colours: Mapping[str, int]
) -> Markup:
    """Return the table of a task.

    Parameters
    ----------
    board
        The board.
    number
        Of a task of it.
    free
        Entry -> its place and score by the paper's price, which leaves the router out.
    colours
        Entry -> the number of its curve's colour, where it has one.
    """
    task = board.tasks[number]
    columns = columns_of(task)
    heads = [_head(c.head, right=c.align == "right") for c in columns]
    heads.insert(2, _head("kind", right=False))
    heads.append(_head("score, router left out", right=True))
    lines = []
    for place, (entry, score) in enumerate(board.ranked(number), start=1):
        cells = [_cell(entry, score, column.head, column.cell(entry, score), colours) for column in columns]
        cells.insert(2, tag("td", kind_of(entry)))
        cells.append(tag("td", _free(free.get(entry.submission), place), class_="r"))
        lines.append(tag("tr", *cells, data_name=entry.submission, data_kind=kind_of(entry)))
    caption = f"Scores on {task.ref}"
    return _table(caption, heads, lines, "scores")


def overall_table(board: Board) -> Markup | None:
    """Return the table of the entries that enter every task; None where there are none."""
    ranked = [entry for entry in board.entries if entry.score is not None]
    if len(board.tasks) < 2 or not ranked:  # noqa: PLR2004 - one task is its own overall
        return None
    heads = [_head("rank", right=True), _head("submission", right=False), _head("mean", right=True)]
    heads += [_head(task.ref, right=True) for task in board.tasks]
    lines = [
        tag(
            "tr",
            tag("td", places(entry.rank), class_="r"),
            tag("th", _opener(entry.submission), scope="row"),
            tag("td", mean_of(entry), class_="r"),
            *(tag("td", "-" if s is None else f"{s.score:.3f}", class_="r") for s in entry.tasks),
            data_name=entry.submission,
            data_kind=kind_of(entry),
        )
        for entry in ranked
    ]
    return _table("All tasks", heads, lines, "scores")


def variant_table(board: Board, number: int, rows: Mapping[tuple[str, str], str]) -> Markup:
    """Return the variants of a task; a mark of the chart is called as its row is.

    Parameters
    ----------
    board
        The board.
    number
        Of a task of it.
    rows
        (entry, variant) -> the id of its row's head.
    """
    heads = [_head(head, right=False) for head in ("submission", "variant")]
    heads += [_head(head, right=True) for head in ("ops", "router left out", "quality", "memory", "cells")]
    lines = [
        tag("tr", *_variant(entry, point, rows[entry.submission, point.variant]), data_name=entry.submission)
        for entry, point in _points(board, number)
    ]
    return _table(f"Variants on {board.tasks[number].ref}", heads, lines, "variants")


def shape_of(kind: str, class_: str) -> Markup:
    """Return a kind's mark as a picture in a line of text."""
    mark = tag("path", d=SHAPES[kind])
    return tag("svg", mark, viewBox="-6 -6 12 12", class_=f"key {class_}", aria_hidden="true")


def _points(board: Board, number: int) -> Iterator[tuple[Entry, Point]]:
    for entry, score in board.ranked(number):
        for point in by_cost(score.points):
            yield entry, point


def _variant(entry: Entry, point: Point, row: str) -> Iterator[Markup]:
    yield tag("td", entry.submission)
    ran = "did not run" if point.ops is None else f"{_ops(point.ops)} ops, quality {point.quality_mean:.3f}"
    called = f"{entry.submission} {point.variant}: {ran}"
    yield tag("th", point.variant, scope="row", id=row, aria_label=called)
    for value in (_ops(point.ops), _ops(point.ops_router_free), f"{point.quality_mean:.3f}"):
        yield tag("td", value, class_="r")
    yield tag("td", _bytes(point.memory_bytes), class_="r")
    yield tag("td", cells_of(point), class_="r")


def _ops(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _bytes(value: int | None) -> str:
    return "-" if value is None else f"{short_number(value / 1024)} KiB"


def _cell(entry: Entry, score: TaskScore, head: str, text: str, colours: Mapping[str, int]) -> Markup:
    if head != "submission":
        return tag("td", text, class_="r", data_v=f"{score.score:.6f}" if head == "score" else None)
    colour = colours.get(entry.submission)
    key = shape_of(kind_of(entry), "other" if colour is None else f"s{colour}")
    return tag("th", key, _opener(entry.submission), scope="row")


def _opener(name: str) -> Markup:
    """Return what opens an entry's drawer: a link, so that it is one without a script as well."""
    return tag("a", name, href=f"#entry={quote(name, safe='')}", class_="open", data_open=name)


def _free(given: tuple[int, float] | None, place: int) -> str:
    if given is None:
        return "-"
    there, score = given
    moved = f" ({place} → {there})" if there != place else ""
    return f"{score:.3f}{moved}"


def _head(name: str, *, right: bool) -> Markup:
    """Return a column's head; a script makes a button of it, and says the order by aria-sort."""
    kind = "words" if name in _WORDS or not right else "numbers"
    return tag("th", name, scope="col", class_="r" if right else None, data_sort=kind)


def _table(caption: str, heads: Sequence[Markup], lines: Sequence[Markup], class_: str) -> Markup:
    table = tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", *heads)),
        tag("tbody", *lines),
        class_=class_,
    )
    # A wide table scrolls by itself, by the keyboard as well.
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=caption)


def legend() -> Markup:
    """Return what the shapes mean."""
    items = [tag("li", shape_of(kind, "other"), told) for kind, told in KINDS.items()]
    return tag("ul", *items, class_="legend")
