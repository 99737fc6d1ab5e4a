"""A board as CSV: one sheet of scores, one of points. Numbers keep all their digits."""

from __future__ import annotations

from csv import writer
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.escape import for_csv

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparsebench.leaderboard.board import Board, BoardTask, Entry, Point, TaskScore

    Cell = str | float | int | bool | None

__all__ = ["POINT_COLUMNS", "Sheets", "csv", "points"]

_SCORES = (
    "submission",
    "title",
    "rank_best",
    "rank_worst",
    "board_score",
    "task",
    "score",
    "low",
    "high",
    "instances",
    "seeds",
    "scoring_version",
    "cost_model",
    "task_hash",
    "uses_tags",
)
POINT_COLUMNS = (
    "submission",
    "task",
    "variant",
    "ops",
    "ops_router_free",
    "log2_ops_mean",
    "quality_mean",
    "error_mean",
    "n_cells",
    "n_failed",
    "n_missing",
    "statuses",
    "nmi",
    "uses_tags",
)
"""Names of the columns of the sheet of points."""


class Sheets(NamedTuple):
    """Two CSV texts, UTF-8, lines ending in a line feed. An empty field means that there is no such value."""

    scores: str
    """One line per submission and task. A task without rows has an empty score and counts 0."""
    points: str
    """One line per submission, task and variant."""


def csv(board: Board) -> Sheets:
    """Return the board as two CSV texts.

    Text that a spreadsheet would run as a formula gets a leading apostrophe.
    """
    scores = (
        _score_line(board, entry, task, score)
        for entry in board.entries
        for task, score in zip(board.tasks, entry.tasks, strict=True)
    )
    lines = (list(record.values()) for record in points(board))
    return Sheets(_sheet(_SCORES, scores), _sheet(_point_columns(board), lines))


def points(board: Board) -> list[dict[str, Cell]]:
    """Return one record per submission, task and variant: what the sheet of points holds."""
    columns = _point_columns(board)
    return [
        dict(zip(columns, _point_line(board, entry, score, point), strict=True))
        for entry in board.entries
        for score in entry.tasks
        if score is not None
        for point in score.points
    ]


def _point_columns(board: Board) -> tuple[str, ...]:
    """Name the columns: a price list's comes beside ``ops``."""
    if board.prices is None or board.prices in POINT_COLUMNS:
        return POINT_COLUMNS
    beside = POINT_COLUMNS.index("ops") + 1
    return (*POINT_COLUMNS[:beside], board.prices, *POINT_COLUMNS[beside:])


def _score_line(board: Board, entry: Entry, task: BoardTask, score: TaskScore | None) -> list[Cell]:
    measured: list[Cell] = [None] * 5
    if score is not None:
        measured = [score.score, score.low, score.high, len(score.instances), score.seeds]
    head: list[Cell] = [entry.submission, entry.title, entry.rank.best, entry.rank.worst, entry.score]
    return [
        *head,
        task.ref,
        *measured,
        board.scoring_version,
        board.cost_model,
        task.hash,
        entry.uses_tags,
    ]


def _point_line(board: Board, entry: Entry, score: TaskScore, point: Point) -> list[Cell]:
    shown = board.prices is not None and board.prices not in POINT_COLUMNS
    own: list[Cell] = [point.own_price] if shown else []
    return [
        entry.submission,
        score.task,
        point.variant,
        point.ops,
        *own,
        point.ops_router_free,
        point.log2_ops_mean,
        point.quality_mean,
        point.error_mean,
        point.n_cells,
        point.n_failed,
        point.n_missing,
        " ".join(f"{status}:{number}" for status, number in point.statuses),
        point.nmi,
        entry.uses_tags,
    ]


def _sheet(header: tuple[str, ...], lines: Iterable[list[Cell]]) -> str:
    text = StringIO()
    sheet = writer(text, lineterminator="\n")
    sheet.writerow(header)
    sheet.writerows([for_csv(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return text.getvalue()
