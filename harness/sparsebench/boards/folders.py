"""The submissions of a board's repository: which there are, and which rows are theirs. None of them runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.errors import NotFoundError, UsageError
from sparsebench.models import find_submission, is_shipped, shipped_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sparsebench.models import SubmissionFolder
    from sparsebench.results import Row

__all__ = ["open_submission", "open_submissions", "rows_of"]


def open_submission(path: Path) -> SubmissionFolder:
    """Read the submission in a folder, which is called like it.

    Raises
    ------
    UsageError
        It is wrong, is called otherwise than its folder, or like another one that comes with sparsebench.
    """
    folder = find_submission(str(path))
    name = folder.manifest.name
    if name != path.name:
        message = f"{path.parent.name}/{path.name}/submission.toml is called {name!r}, expected {path.name!r}"
        raise UsageError(message, help="a folder has the name of its submission")
    if name in shipped_names() and not is_shipped(name, folder.hash):
        message = f"{name} comes with sparsebench, and this is other code"
        raise UsageError(message, help="choose another name")
    return folder


def open_submissions(folder: Path) -> list[SubmissionFolder]:
    """Read all submissions in a board's folder of them, sorted by name; no two have one name.

    Raises
    ------
    UsageError
        See `open_submission`.
    """
    return [open_submission(path.parent) for path in sorted(folder.glob("*/submission.toml"))]


def rows_of(rows: Iterable[Row], folder: Path) -> list[Row]:
    """Return the rows of the submissions in a folder, and of those that come with sparsebench.

    So who is removed leaves the board, and whose code is changed back has the score of that code again. While
    the code as it is has no rows yet, all rows of its name are returned.

    Raises
    ------
    UsageError
        See `open_submission`.
    NotFoundError
        There are none.
    """
    rows = tuple(rows)
    seen = {(row.submission, row.submission_hash) for row in rows}
    there = {each.manifest.name: each.hash for each in open_submissions(folder)}
    shipped = set(shipped_names())
    kept = [
        row
        for row in rows
        if (wanted := there.get(row.submission)) == row.submission_hash
        or (wanted is None and row.submission in shipped)
        or (wanted is not None and (row.submission, wanted) not in seen)
    ]
    if not kept:
        raise NotFoundError(
            f"{folder}: there are rows, but of no submission there, and of none that comes with sparsebench",
            help="evaluate them: `sparsebench board update`",
        )
    return kept
