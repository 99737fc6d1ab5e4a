"""A board as Markdown and as text for a terminal."""

from __future__ import annotations

from itertools import pairwise
from textwrap import fill
from typing import TYPE_CHECKING, NamedTuple

from tabulate import tabulate

from sparsebench.leaderboard.board import short_hash
from sparsebench.leaderboard.build import UNRANKED
from sparsebench.leaderboard.cells import COUNTED
from sparsebench.leaderboard.columns import (
    NEVER,
    Column,
    by_cost,
    cells_of,
    columns_of,
    many,
    mean_of,
    places,
    short_size,
    sorted_by,
)
from sparsebench.leaderboard.escape import for_markdown, for_terminal
from sparsebench.results.priced import price_footnote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sparsebench.leaderboard.board import Board, BoardTask, Entry, TaskScore

    Escape = Callable[[str], str]
    Found = list[tuple[Entry, TaskScore]]

__all__ = ["has_overall", "heading", "markdown", "terminal"]

_WIDTH = 100
_LONGEST_NOTE = 1200  # it lists names, which may be long
_SCORES = (
    "Score: what quality a budget of operations buys, from 0 to 1: the area under the best of the variants' "
    "budget curves over log2 of active operations in the task's box, averaged over the instances; a cell "
    "that fails buys nothing. The jackknife's mean over the seeds, with a 95 % interval, on these instances: "
    "another draw of them could order the entries otherwise."
)
_RANKS = (
    "Rank: entries share places unless Welch's test, Holm-corrected over the pairs of the task, tells them "
    "apart by .005 or more. Ahead: on how many instances an entry's area is larger than that of the next."
)
_RATIOS = (
    "x fewer at q: the smallest budget of the reference that buys quality q, divided by the entry's own: "
    "geometric mean over the instances on which both reach it, as many as the last numbers say; with an "
    "interval where the seeds leave a choice of variants, and ? where they do not show that it is reached. "
    "Router: its part of the operations. p95/mean: how much dearer than the mean the dear inputs are. Both "
    "are means over the cells that ran."
)
_FAILED = "*: an interval is too narrow where cells fail rarely, with a chance that few seeds do not show."
_VARIANTS = (
    "Per input, means over the cells that ran: ops is every active operation, ops (router-free) leaves the "
    "router out, as papers often do. Quality is over all cells; a cell that failed or is missing counts 0. "
    "Memory is what the largest model stores: arrays, names, and files beyond 64 KiB."
)
_TAGS = (
    "Entries without a rank beside ranked ones are told the domain of every input that they predict: a class "
    "of its own, which shows what the others could gain by a better router."
)
_NMI = (
    "nmi: mutual information of an input's expert and its domain, from 0 (the routing tells nothing of the "
    "domain) to 1 (they tell one another), means over the cells that ran; '-' without a router or domains."
)


class _Table(NamedTuple):
    """A table before it is text."""

    columns: tuple[Column, ...]
    lines: list[list[str]]

    def render(self, style: str) -> str:
        """Return the table as text."""
        heads, align = [c.head for c in self.columns], [c.align for c in self.columns]
        colalign = align if self.lines else None
        return tabulate(self.lines, headers=heads, tablefmt=style, disable_numparse=True, colalign=colalign)

    def fitting(self, width: int | None) -> tuple[str, list[str]]:
        """Return it as text of a limited width, and the columns that were left out for that.

        Values are never cut: if the columns that must stay are too wide, the text is too wide.
        """
        kept, text, gone = self, self.render("simple"), []
        while width is not None and max(map(len, text.splitlines())) > width:
            least = max(range(len(kept.columns)), key=lambda number: kept.columns[number].drop)
            if kept.columns[least].drop == NEVER:
                break
            gone.append(kept.columns[least].head)
            kept = kept.without(least)
            text = kept.render("simple")
        return text, gone

    def without(self, column: int) -> _Table:
        """Return the table without a column."""
        lines = [line[:column] + line[column + 1 :] for line in self.lines]
        return _Table(self.columns[:column] + self.columns[column + 1 :], lines)


def markdown(board: Board, *, by: str = "task", sort: str = "score") -> str:
    """Return the board as Markdown: one table for each task, all tasks, notes, variants.

    Parameters
    ----------
    board
        The same rows make the same text.
    by
        ``task``; or ``instance``: areas on each instance instead of scores.
    sort
        One of :data:`sparsebench.leaderboard.columns.SORTS`.

    Raises
    ------
    UsageError
        There is no such order.
    """
    parts = []
    for number, task in enumerate(board.tasks):
        parts.append(f"### {heading(board, number, for_markdown)}")
        parts.append(_task_table(board, number, for_markdown, by, sort).render("pipe"))
        parts += _resolution(board, number, task)
    if has_overall(board):
        parts += ["### All tasks", _overall_table(board, for_markdown).render("pipe")]
    parts += _texts(board)
    if board.notes:
        parts.append("\n".join(f"- {for_markdown(note, _LONGEST_NOTE)}" for note in board.notes))
    if titled := [entry for entry in board.entries if entry.title is not None]:
        lines = (f"- {for_markdown(e.submission)}: {for_markdown(e.title or '')}" for e in titled)
        parts += ["### Submissions", "\n".join(lines)]
    parts += ["### Variants", _variant_table(board, for_markdown).render("pipe"), *_about_variants(board)]
    return "\n\n".join([*parts, _versions(board, for_markdown)]) + "\n"


def terminal(board: Board, *, width: int | None = None, by: str = "task", sort: str = "score") -> str:
    """Return the board as plain text for a terminal.

    Parameters
    ----------
    board
        The same rows make the same text.
    width
        Columns of the terminal. If a table is wider, columns are left out, and named; values are never cut.
        None leaves nothing out.
    by, sort
        As for `markdown`.

    Raises
    ------
    UsageError
        There is no such order.
    """
    parts, gone = [], dict[str, None]()
    for number, task in enumerate(board.tasks):
        text, left_out = _task_table(board, number, for_terminal, by, sort).fitting(width)
        gone |= dict.fromkeys(left_out)
        parts += [heading(board, number, for_terminal), text, *_resolution(board, number, task)]
    if has_overall(board):
        text, left_out = _overall_table(board, for_terminal).fitting(width)
        gone |= dict.fromkeys(left_out)
        parts += ["All tasks", text]
    if gone:
        parts.append(f"left out for want of width: {', '.join(gone)}; --json has all")
    wrap = min(width or _WIDTH, _WIDTH)
    parts += [fill(line, wrap) for line in _texts(board)]
    parts += [fill(f"note: {for_terminal(note, _LONGEST_NOTE)}", wrap) for note in board.notes]
    text, left_out = _variant_table(board, for_terminal).fitting(width)
    if left_out:
        text += f"\n\nleft out for want of width: {', '.join(left_out)}; --json has all"
    parts += [text, *(fill(line, wrap) for line in _about_variants(board))]
    return "\n\n".join([*parts, _versions(board, for_terminal)]) + "\n"


def heading(board: Board, number: int, escape: Escape) -> str:
    """Return the heading of a task's table: its reference, how much it is scored on, and how."""
    task = board.tasks[number]
    facts = [many(len(task.instances), "instance"), many(board.seeds, "seed")]
    if board.preliminary:
        facts[-1] = f"preliminary, {board.seeds} of {board.wanted_seeds} seeds"
    if task.reference is not None:
        facts.append(f"reference {escape(task.reference)}")
    if board.profile != "ops":
        what = f"{board.profile} ({COUNTED[board.profile]})"
        facts.append(f"by profile {what}, which is not the standard one")
    if board.profile in UNRANKED:
        facts.append("without places: what is called a router costs nothing here")
    return f"{escape(task.ref)} ({', '.join(facts)})"


def _task_table(board: Board, number: int, escape: Escape, by: str, sort: str) -> _Table:
    found = sorted_by(board.ranked(number), sort)
    if by == "instance":
        return _by_instance(board.tasks[number], found, escape)
    columns = columns_of(board.tasks[number])
    lines = [[_shown(column, each, escape) for column in columns] for each in found]
    return _Table(columns, lines)


def _shown(column: Column, each: tuple[Entry, TaskScore], escape: Escape) -> str:
    text = column.cell(*each)
    return escape(text) if column.head == "submission" else text  # the others have no words from strangers


def _by_instance(task: BoardTask, found: Found, escape: Escape) -> _Table:
    columns = (
        *(Column("rank"), Column("submission", "left"), Column("mean")),
        *(Column(escape(instance)) for instance in task.instances),
    )
    lines = [
        [
            places(score.rank),
            escape(entry.submission),
            f"{score.plain:.3f}",
            *(f"{area:.3f}" for area in score.areas),
        ]
        for entry, score in found
    ]
    return _Table(columns, lines)


def _resolution(board: Board, number: int, task: BoardTask) -> Iterator[str]:
    """Yield how many pairs of neighbours in the table differ significantly."""
    ranked = [entry.submission for entry, score in board.ranked(number) if score.rank is not None]
    won = {frozenset((pair.first, pair.second)) for pair in board.pairs[number] if pair.winner}
    neighbours = [frozenset(each) for each in pairwise(ranked)]
    if neighbours:
        apart = sum(each in won for each in neighbours)
        yield f"Told apart on {task.ref}: {apart} of {len(neighbours)} neighbouring pairs."


def has_overall(board: Board) -> bool:
    """Return whether there are several tasks, and entries that enter all of them."""
    return len(board.tasks) > 1 and any(entry.score is not None for entry in board.entries)


def _overall_table(board: Board, escape: Escape) -> _Table:
    """Return the table of the entries that enter every task."""
    columns = (
        *(Column("rank"), Column("submission", "left"), Column("mean")),
        *(Column(escape(task.ref), drop=1) for task in board.tasks),
    )
    lines = [
        [
            places(entry.rank),
            escape(entry.submission),
            mean_of(entry),
            *(f"{score.score:.3f}" if score is not None else "-" for score in entry.tasks),
        ]
        for entry in board.entries
        if entry.score is not None
    ]
    return _Table(columns, lines)


def _texts(board: Board) -> Iterator[str]:
    yield _SCORES
    yield _RANKS
    if any(task.reference is not None for task in board.tasks):
        yield _RATIOS
    if has_overall(board):
        yield "All tasks: the mean of the scores, of entries that enter every task; the others have no mean."
    elif len(board.tasks) > 1 and board.entries:
        yield "No entry enters every task: there is no mean."
    scores = (score for entry in board.entries for score in entry.tasks if score is not None)
    if any(score.failed_share for score in scores):
        yield _FAILED
    if board.uses_tags:
        yield _TAGS


def _about_variants(board: Board) -> Iterator[str]:
    yield _VARIANTS
    if board.has_nmi:
        yield _NMI
    if board.prices is not None:
        yield price_footnote(board.prices)


def _versions(board: Board, escape: Escape) -> str:
    if board.scoring_version is None:
        return "No rows yet."
    tasks = ", ".join(f"{escape(task.ref)} ({escape(short_hash(task.hash))})" for task in board.tasks)
    return f"Scoring version {board.scoring_version}, cost model {board.cost_model}, tasks {tasks}."


def _variant_table(board: Board, escape: Escape) -> _Table:
    own = [] if board.prices is None else [board.prices]
    nmi = ["nmi"] if board.has_nmi else []
    right = ["ops", *own, "ops (router-free)", "quality", "error", *nmi, "memory"]
    drops = {"error": 4, "memory": 3, "nmi": 2, "ops (router-free)": 1}
    columns = (
        *(Column(head, "left") for head in ("task", "submission", "variant")),
        *(Column(head, drop=drops.get(head, NEVER)) for head in right),
        Column("cells", "left", drop=5),
    )
    lines = [
        [
            escape(task.ref),
            escape(entry.submission),
            escape(point.variant),
            _number(point.ops),
            *(_number(point.own_price) for _ in own),
            _number(point.ops_router_free),
            f"{point.quality_mean:.3f}",
            "-" if point.error_mean is None else f"{point.error_mean:.4g}",
            *("-" if point.nmi is None else f"{point.nmi:.3f}" for _ in nmi),
            short_size(point.memory_bytes),
            cells_of(point),
        ]
        for number, task in enumerate(board.tasks)
        for entry, score in board.ranked(number)
        for point in by_cost(score.points)
    ]
    return _Table(columns, lines)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
