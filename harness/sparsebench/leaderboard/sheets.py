"""A board as sheets of records: scores, points, areas; and these as CSV and as JSON.

Numbers keep all their digits.
"""

from __future__ import annotations

from csv import writer
from dataclasses import asdict
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.leaderboard.board import QUALITIES
from sparsebench.leaderboard.escape import for_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.leaderboard.board import Board, Entry, Point, Ratio, TaskScore

__all__ = [
    "AREA_COLUMNS",
    "POINT_COLUMNS",
    "SCORE_COLUMNS",
    "Cell",
    "Sheet",
    "Sheets",
    "csv",
    "document",
    "points",
    "sheets_of",
]

Cell = str | float | int | bool | None
"""A value of a record; None where there is none."""

SCORE_COLUMNS = (
    *("submission", "title", "uses_tags", "task", "rank_best", "rank_worst"),
    *("score", "low", "high", "exact", "score_plain"),
    *(
        f"fewer_at_{100 * quality:.0f}{part}"
        for quality in QUALITIES
        for part in ("", "_low", "_high", "_instances")
    ),
    *("router_share", "p95_over_mean", "failed_share", "ahead", "instances", "seeds"),
    *("overall_rank_best", "overall_rank_worst", "overall_score", "overall_low", "overall_high"),
    *("profile", "board_seeds", "scoring_version", "cost_model", "task_hash"),
)
"""Names of the columns of the sheet of scores."""

AREA_COLUMNS = ("submission", "task", "instance", "area", "uses_tags")
"""Names of the columns of the sheet of areas."""

POINT_COLUMNS = (
    "submission",
    "task",
    "variant",
    "ops",
    "ops_router_free",
    "quality_mean",
    "error_mean",
    "memory_bytes",
    "n_cells",
    "n_failed",
    "n_missing",
    "n_too_large",
    "statuses",
    "nmi",
    "uses_tags",
)
"""Names of the columns of the sheet of points."""


class Sheet(NamedTuple):
    """Records that have the same columns."""

    columns: tuple[str, ...]
    """Names of the columns."""
    records: list[dict[str, Cell]]
    """One dict per line, with a value of each column."""


class Sheets(NamedTuple):
    """Three CSV texts in UTF-8, with LF. An empty field means that there is no value."""

    scores: str
    """One line per submission and task that it enters."""
    points: str
    """One line per submission, task and variant."""
    areas: str
    """One line per submission, task and instance."""


def sheets_of(board: Board) -> tuple[Sheet, Sheet, Sheet]:
    """Return the records of the sheets of scores, of points and of areas: what all formats of them hold."""
    return (
        Sheet(SCORE_COLUMNS, list(_scores(board))),
        Sheet(_point_columns(board), points(board)),
        Sheet(AREA_COLUMNS, list(_areas(board))),
    )


def csv(board: Board) -> Sheets:
    """Return the board as CSV texts.

    Text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    return Sheets(*map(_text, sheets_of(board)))


def document(board: Board) -> dict[str, Any]:
    """Return the whole board, ready for ``json.dumps``.

    Returns
    -------
    dict
        What all rows have in common, ``notes``, ``tasks`` with their instances and ``pairs``, and the records
        of the three sheets: ``scores``, ``points``, ``areas``.
    """
    tasks = [
        asdict(task) | {"pairs": [asdict(pair) for pair in pairs]}
        for task, pairs in zip(board.tasks, board.pairs, strict=True)
    ]
    of_scores, of_points, of_areas = sheets_of(board)
    return {
        "scoring_version": board.scoring_version,
        "cost_model": board.cost_model,
        "profile": board.profile,
        "seeds": board.seeds,
        "preliminary": board.preliminary,
        "notes": list(board.notes),
        "tasks": tasks,
        "scores": of_scores.records,
        "points": of_points.records,
        "areas": of_areas.records,
    }


def points(board: Board) -> list[dict[str, Cell]]:
    """Return one record per submission, task and variant: the records of the sheet of points."""
    return [_point(board, entry, score, point) for entry, score in _entered(board) for point in score.points]


def _entered(board: Board) -> Iterator[tuple[Entry, TaskScore]]:
    for number in range(len(board.tasks)):
        yield from board.ranked(number)


def _scores(board: Board) -> Iterator[dict[str, Cell]]:
    hashes = {task.ref: task.hash for task in board.tasks}
    for entry, score in _entered(board):
        yield {
            "submission": entry.submission,
            "title": entry.title,
            "uses_tags": entry.uses_tags,
            "task": score.task,
            "rank_best": None if score.rank is None else score.rank.best,
            "rank_worst": None if score.rank is None else score.rank.worst,
            "score": score.score,
            "low": score.low,
            "high": score.high,
            "exact": score.exact,
            "score_plain": score.plain,
            **_ratios(score),
            "router_share": score.router_share,
            "p95_over_mean": score.tail,
            "failed_share": score.failed_share,
            "ahead": None if score.ahead is None else score.ahead[0],
            "instances": len(score.areas),
            "seeds": score.seeds,
            "overall_rank_best": None if entry.rank is None else entry.rank.best,
            "overall_rank_worst": None if entry.rank is None else entry.rank.worst,
            "overall_score": entry.score,
            "overall_low": entry.low,
            "overall_high": entry.high,
            "profile": board.profile,
            "board_seeds": board.seeds,
            "scoring_version": board.scoring_version,
            "cost_model": board.cost_model,
            "task_hash": hashes[score.task],
        }


def _ratios(score: TaskScore) -> dict[str, Cell]:
    given: list[Ratio | None] = list(score.ratios) or [None] * len(QUALITIES)
    record: dict[str, Cell] = {}
    for quality, ratio in zip(QUALITIES, given, strict=True):
        name = f"fewer_at_{100 * quality:.0f}"
        record[name] = None if ratio is None else ratio.times
        record[f"{name}_low"] = None if ratio is None else ratio.low
        record[f"{name}_high"] = None if ratio is None else ratio.high
        record[f"{name}_instances"] = None if ratio is None else ratio.instances
    return record


def _areas(board: Board) -> Iterator[dict[str, Cell]]:
    instances = {task.ref: task.instances for task in board.tasks}
    for entry, score in _entered(board):
        for instance, area in zip(instances[score.task], score.areas, strict=True):
            yield {
                "submission": entry.submission,
                "task": score.task,
                "instance": instance,
                "area": area,
                "uses_tags": entry.uses_tags,
            }


def _point(board: Board, entry: Entry, score: TaskScore, point: Point) -> dict[str, Cell]:
    values: tuple[Cell, ...] = (
        entry.submission,
        score.task,
        point.variant,
        point.ops,
        point.ops_router_free,
        point.quality_mean,
        point.error_mean,
        point.memory_bytes,
        point.n_cells,
        point.n_failed,
        point.n_missing,
        point.n_large,
        " ".join(f"{status}:{number}" for status, number in point.statuses),
        point.nmi,
        entry.uses_tags,
    )
    record = dict(zip(POINT_COLUMNS, values, strict=True))
    if board.prices is not None:
        record.setdefault(board.prices, point.own_price)
    return {name: record[name] for name in _point_columns(board)}


def _point_columns(board: Board) -> tuple[str, ...]:
    """Return the names of the columns: that of a price list comes after ``ops``."""
    if board.prices is None or board.prices in POINT_COLUMNS:
        return POINT_COLUMNS
    beside = POINT_COLUMNS.index("ops") + 1
    return (*POINT_COLUMNS[:beside], board.prices, *POINT_COLUMNS[beside:])


def _text(sheet: Sheet) -> str:
    text = StringIO()
    lines = writer(text, lineterminator="\n")
    lines.writerow(sheet.columns)
    for record in sheet.records:
        cells = (record[name] for name in sheet.columns)
        lines.writerow([for_csv(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue()
