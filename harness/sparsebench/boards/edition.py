"""What is published: a board with the rows that it is made of, and what the outputs need beside it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparsebench.errors import UsageError
from sparsebench.ground.naming import NAME_PATTERN, is_file_everywhere
from sparsebench.leaderboard.escape import for_terminal
from sparsebench.leaderboard.publication import publication_of
from sparsebench.leaderboard.standard import Choice, tasks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.leaderboard.board import Board, Entry
    from sparsebench.leaderboard.findings import Finding
    from sparsebench.leaderboard.frozen import Frozen
    from sparsebench.results import Row

__all__ = ["BESIDE", "TITLE", "Edition", "edition_of", "file_name", "task_file_name"]

TITLE = "sparsebench board"
"""The title of a board that is given none."""

BESIDE = {
    "board.md": "tables",
    "board.tex": "LaTeX",
    "pictures/board.svg": "picture",
    "board.csv": "scores",
    "points.csv": "variants",
    "areas.csv": "instances",
    "rows.parquet": "rows",
    "api/v1/index.json": "JSON",
    "feed.xml": "changes",
    "board.bib": "BibTeX",
}
"""What the page links: path of a published file -> what it is called there."""

_LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Edition:
    """A board and its rows, as they are published once."""

    board: Board
    """By the standard price list."""
    found: tuple[Finding, ...]
    """What the board says, in sentences."""
    page: str
    """The board as one HTML file."""
    rows: tuple[Row, ...]
    """All rows by the board's versions, also those that do not count: each once, in an order of their own."""
    title: str = TITLE
    """One line for people."""
    base_url: str = ""
    """The address that it will have, with a slash at the end; empty where it is not known."""

    @property
    def updated(self) -> str:
        """When the newest row ended, the date of all that is published: no clock is read."""
        return max(row.ended for row in self.rows)

    def counting(self, entry: Entry) -> list[Row]:
        """Return the rows that count for an entry, one for each cell, in the order of cells."""
        own = (row for row in self.board.rows if row.submission == entry.submission)
        return sorted(own, key=lambda row: row.identity.place)

    def state(self, entry: Entry) -> str:
        """Return the hash of the state of an entry's folder whose rows count."""
        return next(row.submission_hash for row in self.board.rows if row.submission == entry.submission)

    def address(self, path: str) -> str:
        """Return the address of a published file; relative to the board's root where that is not known."""
        return f"{self.base_url}{path}"


def edition_of(
    rows: Sequence[Row],
    *,
    tasks: Sequence[str] = (),
    frozen: Frozen | None = None,
    title: str = TITLE,
    base_url: str = "",
) -> Edition:
    """Build the board of rows, and all that is published beside it.

    Parameters
    ----------
    rows
        All rows of a store.
    tasks
        References or folders of the board's tasks; without them those of `frozen`, or of the rows.
    frozen
        The instances and seeds of the board; without it those of the standard board that have rows.
    title
        One line for people.
    base_url
        The address of the published folder, ``http`` or ``https``; empty where it is not known.

    Raises
    ------
    UsageError
        The address is none; or see :func:`sparsebench.leaderboard.build_board`.
    NotFoundError
        There are no rows of the board.
    """
    address = _address(base_url)
    choice = Choice(frozen=frozen, titled=True)
    ordered = sorted(dict.fromkeys(rows), key=lambda row: (*row.identity.place, row.ended, repr(row)))
    title = for_terminal(title) or TITLE
    made = publication_of(ordered, tasks_of(ordered, tasks, choice), choice, title=title, beside=BESIDE)
    versions = (made.board.scoring_version, made.board.cost_model)
    return Edition(
        board=made.board,
        found=made.findings,
        page=made.page,
        rows=tuple(row for row in ordered if (row.scoring_version, row.cost_model) == versions),
        title=title,
        base_url=address,
    )


def _address(given: str) -> str:
    if given and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~@%+-]*)*", given):
        raise UsageError(
            f"expected the address of a folder, http or https, without ? and #, got {given!r}",
            help="for example: https://me.github.io/my-board/",
        )
    return f"{given.rstrip('/')}/" if given else ""


def file_name(name: str) -> str:
    """Return the name of an entry's file, without its ending: its own name, if it is one that files may have.

    A name that no manifest or file of Windows may have gets one of its hash, which no other entry can have.
    """
    if re.fullmatch(NAME_PATTERN, name) and len(name) <= _LONGEST_NAME and is_file_everywhere(name):
        return name
    return f"entry--{hashlib.sha256(name.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"


def task_file_name(ref: str) -> str:
    """Return the name of a task's file, without its ending: ``memorization-1`` for ``memorization@1``."""
    return file_name(ref.replace("@", "-"))
