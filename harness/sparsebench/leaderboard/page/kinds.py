"""The kinds of entries, each with a shape of its own: a chart must be read without colours, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.leaderboard.findings import TABLES, TREES

if TYPE_CHECKING:
    from sparsebench.leaderboard.board import Entry

__all__ = ["KINDS", "SHAPES", "kind_of"]

KINDS = {
    "dense": "dense: all of it runs for every input",
    "routed": "routed: a router chooses what runs",
    "tree": "tree: an answer stands in a leaf",
    "table": "table: an answer is looked up, or computed bit by bit",
    "told": "told the domain of every input: not ranked",
    "unknown": "unknown: none of its cells ran",
}
"""Kind -> what it is. A kind is read from rows; only trees and tables go by names of shipped submissions."""

SHAPES = {
    "dense": "M-3.5-3.5h7v7h-7z",
    "routed": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
    "tree": "M0-4.6l4.4 7.8h-8.8z",
    "table": "M0-5l4.6 5l-4.6 5l-4.6-5z",
    "unknown": "M-4-.8h8v1.6h-8z",
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
    scores = [score for score in entry.tasks if score is not None]
    if all(point.ops is None for score in scores for point in score.points):
        return "unknown"
    return "routed" if any(score.router_share for score in scores) else "dense"
