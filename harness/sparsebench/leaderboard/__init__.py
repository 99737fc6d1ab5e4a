"""Rows made into boards, and boards made into tables."""

from __future__ import annotations

from sparsebench.leaderboard.board import Board, BoardTask, Entry, Pair, Point, Ratio, TaskScore
from sparsebench.leaderboard.build import BoardTaskLike, build_board
from sparsebench.leaderboard.publish import (
    freeze_board,
    update_between_markers,
    write_between_markers,
    write_leaderboard,
)
from sparsebench.leaderboard.sheets import Sheets, csv, document, points
from sparsebench.leaderboard.tables import markdown, terminal

__all__ = [
    "Board",
    "BoardTask",
    "BoardTaskLike",
    "Entry",
    "Pair",
    "Point",
    "Ratio",
    "Sheets",
    "TaskScore",
    "build_board",
    "csv",
    "document",
    "freeze_board",
    "markdown",
    "points",
    "terminal",
    "update_between_markers",
    "write_between_markers",
    "write_leaderboard",
]
