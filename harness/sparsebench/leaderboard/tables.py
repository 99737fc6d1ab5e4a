"""A board as Markdown and as text for a terminal."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from tabulate import tabulate

from sparsebench.leaderboard.board import ENOUGH_SEEDS, short_hash
from sparsebench.leaderboard.escape import for_markdown, for_terminal
from sparsebench.results.priced import price_footnote

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparsebench.leaderboard.board import Board, Entry, Point, TaskScore
    from sparsebench.scoring import Rank

    Escape = Callable[[str], str]
    Table = tuple[list[str], list[list[str]], list[str]]

__all__ = ["markdown", "terminal"]

_WIDTH = 100
_SCORES = (
    "Score: area that a submission's variants dominate in the task's box (log2 of active operations x "
    "quality), as a fraction of the box, with its 95 % t interval over seeds (n/a with one seed). "
    "Mean: unweighted over the tasks; '-' means no rows on that task, which counts 0 in the mean. "
    "Rank: entries share places unless a paired test over common cells, Holm-corrected, tells them apart."
)
_VARIANTS = (
    "Per input, means over the cells that ran: ops is every active operation, ops (router-free) leaves the "
    "router out, as papers often do. Quality is over all cells; a cell that failed or is missing counts 0."
)
_TAGS = (
    "Tags: the entries with 'yes' are told the domain of every input that they predict; the others are not, "
    "so the two do not compare as equals."
)
_NMI = (
    "nmi: mutual information of an input's expert and its domain, from 0 (the routing tells nothing of the "
    "domain) to 1 (they tell one another), means over the cells that ran; '-' without a router or domains."
)


def markdown(board: Board) -> str:
    """Return the board as Markdown: scores, notes, variants. The same rows make the same text."""
    parts = [
        _render(_score_table(board, for_markdown), "pipe"),
        _SCORES,
        *_tags(board),
        *_bullets(board),
        "### Variants",
        _render(_variant_table(board, for_markdown), "pipe"),
        _VARIANTS,
        *_nmi(board),
        *_own(board),
        _versions(board, for_markdown),
    ]
    return "\n\n".join(parts) + "\n"


def terminal(board: Board) -> str:
    """Return the board as plain text for a terminal."""
    parts = [
        _render(_score_table(board, for_terminal), "simple"),
        fill(_SCORES, _WIDTH),
        *(fill(line, _WIDTH) for line in _tags(board)),
        *(f"note: {for_terminal(note)}" for note in board.notes),
        _render(_variant_table(board, for_terminal), "simple"),
        fill(_VARIANTS, _WIDTH),
        *(fill(line, _WIDTH) for line in (*_nmi(board), *_own(board))),
        _versions(board, for_terminal),
    ]
    return "\n\n".join(parts) + "\n"


def _bullets(board: Board) -> list[str]:
    return ["\n".join(f"- {for_markdown(note)}" for note in board.notes)] if board.notes else []


def _tags(board: Board) -> list[str]:
    return [_TAGS] if board.uses_tags else []


def _nmi(board: Board) -> list[str]:
    return [_NMI] if board.has_nmi else []


def _own(board: Board) -> list[str]:
    return [] if board.prices is None else [price_footnote(board.prices)]


def _versions(board: Board, escape: Escape) -> str:
    if board.scoring_version is None:
        return "No rows yet."
    tasks = ", ".join(f"{escape(task.ref)} ({escape(short_hash(task.hash))})" for task in board.tasks)
    return f"Scoring version {board.scoring_version}, cost model {board.cost_model}, tasks {tasks}."


def _render(table: Table, style: str) -> str:
    headers, lines, align = table
    colalign = align if lines else None
    return tabulate(lines, headers=headers, tablefmt=style, disable_numparse=True, colalign=colalign)


def _score_table(board: Board, escape: Escape) -> Table:
    tags = ["tags"] if board.uses_tags else []
    headers = ["rank", "submission", *tags, "mean", *(escape(task.ref) for task in board.tasks), "seeds"]
    lines = [
        [
            _rank(entry.rank),
            _name(entry, escape),
            *(_yes(entry) for _ in tags),
            f"{entry.score:.3f}",
            *(_score(task) for task in entry.tasks),
            _seeds(entry),
        ]
        for entry in board.entries
    ]
    align = ["right", "left", *("left" for _ in tags), "right", *("right" for _ in board.tasks), "right"]
    return headers, lines, align


def _yes(entry: Entry) -> str:
    return "yes" if entry.uses_tags else "-"


def _name(entry: Entry, escape: Escape) -> str:
    name = escape(entry.submission)
    return name if entry.title is None else f"{name} - {escape(entry.title)}"


def _rank(rank: Rank) -> str:
    return str(rank.best) if rank.best == rank.worst else f"{rank.best}-{rank.worst}"


def _score(task: TaskScore | None) -> str:
    if task is None:
        return "-"
    if task.low is None:
        return f"{task.score:.3f} (n/a)"
    return f"{task.score:.3f} ({task.low:.3f} to {task.high:.3f})"


def _seeds(entry: Entry) -> str:
    return f"{entry.seeds}, needs more seeds" if entry.seeds < ENOUGH_SEEDS else str(entry.seeds)


def _variant_table(board: Board, escape: Escape) -> Table:
    own = [] if board.prices is None else [board.prices]
    tags, nmi = ["tags"] if board.uses_tags else [], ["nmi"] if board.has_nmi else []
    counts = ["ops", *own, "ops (router-free)", "quality", "error", *nmi]
    headers = ["submission", "variant", *tags, "task", *counts, "cells"]
    lines = [
        [
            escape(entry.submission),
            escape(point.variant),
            *(_yes(entry) for _ in tags),
            escape(task.task),
            _number(point.ops),
            *(_number(point.own_price) for _ in own),
            _number(point.ops_router_free),
            f"{point.quality_mean:.3f}",
            "-" if point.error_mean is None else f"{point.error_mean:.4g}",
            *("-" if point.nmi is None else f"{point.nmi:.3f}" for _ in nmi),
            _cells(point),
        ]
        for entry in board.entries
        for task in entry.tasks
        if task is not None
        for point in _by_cost(task.points)
    ]
    align = ["left"] * (3 + len(tags)) + ["right"] * len(counts) + ["left"]
    return headers, lines, align


def _by_cost(points: Sequence[Point]) -> list[Point]:
    return sorted(points, key=lambda point: (point.log2_ops_mean, point.variant))


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _cells(point: Point) -> str:
    parts = [f"{number} {status}" for status, number in point.statuses]
    return ", ".join(parts + [f"{point.n_missing} missing"] * bool(point.n_missing))
