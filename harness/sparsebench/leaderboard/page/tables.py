"""The board's tables as HTML, with the cells of the Markdown ones: both read the same columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from sparsebench.leaderboard.columns import by_cost, cells_of, columns_of, mean_of, places, short_number
from sparsebench.leaderboard.page.kinds import KINDS, kind_of
from sparsebench.leaderboard.page.markup import Markup, shown, tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from sparsebench.leaderboard.board import Board, Entry, Point, TaskScore
    from sparsebench.leaderboard.columns import Column

__all__ = [
    "Named",
    "legend",
    "named",
    "overall_table",
    "score_table",
    "shape_of",
    "variant_table",
    "variants_of",
]

_BESIDE = 4  # the column of the paper's price stands beside the score
_ROUTER_FREE = "score, router left out"


class Named(NamedTuple):
    """An entry as the page refers to it."""

    number: int
    """What its parts are called in the document."""
    key: str
    """What it is called in addresses and for people; no two entries share one."""
    style: str
    """The class of its curve; ``other`` where it has none."""


def named(board: Board, styles: Mapping[str, str]) -> dict[str, Named]:
    """Return how the page refers to entries: submission -> number, key, style.

    Names that are shown alike, such as those that differ in control characters only, get keys that differ.
    """
    found: dict[str, Named] = {}
    taken: set[str] = set()
    for number, entry in enumerate(board.entries):
        plain = key = shown(entry.submission)
        again = 1
        while key in taken:
            again += 1
            key = f"{plain} ({again})"
        taken.add(key)
        found[entry.submission] = Named(number, key, styles.get(entry.submission, "other"))
    return found


def score_table(
    board: Board, number: int, free: Mapping[str, tuple[int, TaskScore]], names: Mapping[str, Named]
) -> Markup:
    """Return the table of a task: by all operations, with what a script shows by the paper's price.

    Parameters
    ----------
    board
        The board.
    number
        Of a task of it.
    free
        Entry -> its place in the table and its score by the paper's price, which leaves the router out.
    names
        Entry -> how the page refers to it.
    """
    task = board.tasks[number]
    columns = columns_of(task)
    heads = [_head(c.head, words=c.align == "left") for c in columns]
    heads.insert(2, _head("kind", words=True))
    heads.insert(_BESIDE, _head(_ROUTER_FREE, words=False))
    lines = []
    for here, (entry, score) in enumerate(board.ranked(number)):
        own = names[entry.submission]
        place, other = free.get(entry.submission, (None, None))
        cells = [_cell(entry, score, other, column, own) for column in columns]
        # By the paper's price there are no ranks, only an order of scores: all work could be called routing.
        after = "-" if place is None or entry.uses_tags else f"{place + 1} by score"
        cells[0] = tag("td", places(score.rank), data_free=after)
        cells.insert(2, tag("td", kind_of(entry)))
        cells.insert(_BESIDE, tag("td", _moved(other, here, place)))
        lines.append(
            tag("tr", *cells, data_e=own.number, data_name=own.key, data_kind=kind_of(entry), data_f=place)
        )
    return _table(f"Scores on {task.ref}", heads, lines, "scores kinds")


def overall_table(board: Board, names: Mapping[str, Named]) -> Markup | None:
    """Return the table of the entries that enter every task; None where there are none."""
    ranked = [entry for entry in board.entries if entry.score is not None]
    if len(board.tasks) < 2 or not ranked:  # noqa: PLR2004 - one task is its own overall
        return None
    heads = [_head(head, words=head == "submission") for head in ("rank", "submission", "mean")]
    heads += [_head(task.ref, words=False) for task in board.tasks]
    lines = [
        tag(
            "tr",
            tag("td", places(entry.rank)),
            tag("th", _opener(entry.submission, own.key), scope="row"),
            tag("td", mean_of(entry)),
            *(tag("td", "-" if s is None else f"{s.score:.3f}") for s in entry.tasks),
            data_e=own.number,
            data_name=own.key,
            data_kind=kind_of(entry),
        )
        for entry in ranked
        for own in [names[entry.submission]]
    ]
    return _table("All tasks", heads, lines, "scores")


def variant_table(board: Board, number: int, names: Mapping[str, Named]) -> Markup:
    """Return the variants of a task; a mark of the chart is called as its row is.

    Parameters
    ----------
    board
        The board.
    number
        Of a task of it.
    names
        Entry -> how the page refers to it.
    """
    heads = [_head(head, words=True) for head in ("submission", "variant")]
    heads += [_head(head, words=False) for head in ("ops", "router left out", "quality", "memory", "cells")]
    lines = [
        tag("tr", *_variant(entry, point, row), data_e=names[entry.submission].number)
        for row, entry, point in variants_of(board, number)
    ]
    return _table(f"Variants on {board.tasks[number].ref}", heads, lines, "variants")


def variants_of(board: Board, number: int) -> Iterator[tuple[str, Entry, Point]]:
    """Yield the variants of a task in reading order, with the id of each one's row."""
    points = ((entry, p) for entry, score in board.ranked(number) for p in by_cost(score.points))
    for place, (entry, point) in enumerate(points):
        yield f"v{number}-{place}", entry, point


def shape_of(kind: str, class_: str) -> Markup:
    """Return a kind's mark as a picture in a line of text: one of the page's symbols."""
    return tag("svg", tag("use", href=f"#y-{kind}"), class_=f"key {class_}", aria_hidden="true")


def legend(kinds: Collection[str]) -> Markup:
    """Return what the shapes of some kinds mean."""
    items = [tag("li", shape_of(kind, "other"), told) for kind, told in KINDS.items() if kind in kinds]
    return tag("ul", *items, class_="legend")


def _variant(entry: Entry, point: Point, row: str) -> Iterator[Markup]:
    yield tag("td", entry.submission)
    yield tag("th", point.variant, scope="row", id=row)
    for value in (_ops(point.ops), _ops(point.ops_router_free), f"{point.quality_mean:.3f}"):
        yield tag("td", value)
    yield tag("td", _bytes(point.memory_bytes))
    yield tag("td", cells_of(point))


def _ops(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def _bytes(value: int | None) -> str:
    return "-" if value is None else f"{short_number(value / 1024)} KiB"


def _cell(entry: Entry, score: TaskScore, free: TaskScore | None, column: Column, own: Named) -> Markup:
    """Return a cell, and beside it what it shows by the paper's price, where that differs."""
    text = column.cell(entry, score)
    if column.head == "submission":
        return tag("th", shape_of(kind_of(entry), own.style), _opener(text, own.key), scope="row")
    other = "-" if free is None else column.cell(entry, free)
    return tag("td", text, data_free=None if other == text else other)


def _opener(name: str, key: str) -> Markup:
    """Return what opens an entry's drawer: a link, so that it is one without a script as well."""
    return tag("a", name, href=f"#entry={quote(key, safe='')}", class_="open", data_open=key)


def _moved(free: TaskScore | None, before: int, after: int | None) -> str:
    """Return a score without the router, and where that moves the entry in the order of scores."""
    if free is None or after is None:
        return "-"
    moved = f" (by score {before + 1} → {after + 1})" if before != after else ""
    return f"{free.score:.3f}{moved}"


def _head(name: str, *, words: bool) -> Markup:
    """Return a column's head; a script makes a button of it, and says the order by aria-sort.

    Columns are sorted by the number that their cells begin with, unless they are words.
    """
    return tag("th", name, scope="col", class_="w" if words else None)


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
