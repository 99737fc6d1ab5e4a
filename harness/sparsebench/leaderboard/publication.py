"""A board with all that is published of it: its findings and its page, from one reading of the rows."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import SparsebenchError
from sparsebench.leaderboard.findings import findings
from sparsebench.leaderboard.page import About, render_page
from sparsebench.leaderboard.standard import board_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparsebench.leaderboard.board import Board
    from sparsebench.leaderboard.findings import Finding
    from sparsebench.leaderboard.standard import Choice
    from sparsebench.models import SubmissionFolder
    from sparsebench.results import Row
    from sparsebench.tasks import Task

__all__ = ["Publication", "publication_of"]

_OTHER_PRICES = ("add-mul-cmp", "macs")


class Publication(NamedTuple):
    """A board, and what is made of it."""

    board: Board
    """By the standard price list."""
    findings: tuple[Finding, ...]
    """What it says, in sentences."""
    page: str
    """One HTML file."""


def publication_of(
    rows: Sequence[Row],
    tasks: Sequence[Task],
    choice: Choice,
    *,
    title: str = "",
    beside: Mapping[str, str] | None = None,
) -> Publication:
    """Build a board by every price list, say what it shows, and render its page.

    Parameters
    ----------
    rows
        Of any tasks.
    tasks
        Those of the board.
    choice
        How it is scored, by the standard price list.
    title, beside
        What the page is called, and the files that it links: see `render_page`.

    Raises
    ------
    NotFoundError, UsageError
        As `board_of`.
    """
    board = board_of(rows, tasks, choice)
    by_price = {
        name: board_of(rows, tasks, replace(choice, profile=name))
        for name in ("paper-router-free", *_OTHER_PRICES)
    }
    router_free = by_price.pop("paper-router-free")
    said = findings(board, router_free)
    page = render_page(
        board,
        router_free,
        said,
        others=by_price,
        about=_about(board),
        theory={task.ref: _theory(task) for task in tasks},
        title=title,
        beside=beside,
    )
    return Publication(board, said, page)


def _about(board: Board) -> dict[str, About]:
    """Read what shipped submissions say of themselves, where the rows are of their folders as they are."""
    from sparsebench.models import find_submission, shipped_names  # noqa: PLC0415 - only for a page

    about, shipped = {}, set(shipped_names())
    hashes = {row.submission: row.submission_hash for row in board.rows}  # a board has one state of each
    for entry in board.entries:
        name = entry.submission
        about[name] = About(title=entry.title or "")
        with contextlib.suppress(SparsebenchError):  # it does not open: its rows are shown all the same
            if name in shipped and (folder := find_submission(name)).hash == hashes.get(name):
                about[name] = _about_folder(folder)
    return about


def _about_folder(folder: SubmissionFolder) -> About:
    manifest, readme = folder.manifest, folder.path / "README.md"
    return About(
        title=manifest.title,
        authors=tuple(manifest.authors),
        reference=manifest.reference or "",
        licence=manifest.license or "",
        readme=readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else "",
        is_shipped=True,
    )


def _theory(task: Task) -> dict[str, float]:
    """Return log2 of the operations that a task declares to be enough for quality 1: instance -> log2."""
    known = {}
    for name, instance in task.instances.items():
        enough = instance.facts.get("oracle_operations")
        if enough is not None and instance.facts.get("bayes_accuracy", 1.0) == 1.0:
            known[name] = math.log2(max(1.0, enough))
    return known
