"""The kinds of entries, each with a shape of its own: a chart must be read without colours, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.leaderboard.curves import front_of, pooled, within
from sparsebench.leaderboard.findings import TABLES, TREES

if TYPE_CHECKING:
    from sparsebench.leaderboard.board import Board, Entry

__all__ = ["KINDS", "SHAPES", "kind_of", "shown_entries"]

KINDS = {
    "dense": "dense: all of it runs for every input",
    "routed": "routed: a router chooses what runs",
    "tree": "tree: an answer stands in a leaf",
    "table": "table: an answer is looked up, or computed bit by bit",
    "told": "told the domain of every input: not ranked",
}
"""Kind -> what it is. A kind is read from rows; only trees and tables go by names of shipped submissions."""

SHAPES = {
    "dense": "M-3.5-3.5h7v7h-7z",
    "routed": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "tree": "M0-4.6l4.4 7.8h-8.8z",
    "table": "M0-5l4.6 5l-4.6 5l-4.6-5z",
    "told": "M-4-1.2h2.8v-2.8h2.4v2.8h2.8v2.4h-2.8v2.8h-2.4v-2.8h-2.8z",
}
"""Kind -> the outline of its mark around the origin, as the data of an SVG path."""


def kind_of(entry: Entry) -> str:
    """Return the kind of an entry: one of `KINDS`."""
    if entry.uses_tags:
        return "told"
    if entry.submission in TREES:
        return "tree"
    if entry.submission in TABLES:
        return "table"
    routed = any(score is not None and score.router_share for score in entry.tasks)
    return "routed" if routed else "dense"


def shown_entries(board: Board, number: int, most: int = 8) -> list[str]:
    """Choose the entries of a task whose curves are drawn with a label: the best of each kind comes first.

    Then come those that hold some part of the front, by score; at last the reference, if it is not among
    them.

    Parameters
    ----------
    board
        The board.
    number
        Of a task of it.
    most
        How many there are at most.
    """
    found = board.ranked(number)
    best: dict[str, str] = {}
    for entry, score in found:
        if score.score > 0.0:
            best.setdefault(kind_of(entry), entry.submission)
    on_front = _holders(board, number)
    reference = board.tasks[number].reference
    chosen = list(dict.fromkeys([*best.values(), *on_front]))
    if reference is not None and reference not in chosen[:most]:
        chosen.insert(most - 1, reference)
    place = {entry.submission: n for n, (entry, _) in enumerate(found)}
    return sorted(chosen[:most], key=place.__getitem__)


def _holders(board: Board, number: int) -> list[str]:
    """Return the ranked entries whose pooled curve is the best at some budget, best score first."""
    task = board.tasks[number]
    curves = {
        entry.submission: within(pooled(score.curves), task.log2_ops_low, task.log2_ops_high)
        for entry, score in board.ranked(number)
        if not entry.uses_tags
    }
    front = front_of(curves.values())
    return [name for name, curve in curves.items() if any(step in front for step in curve)]
