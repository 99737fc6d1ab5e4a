"""Rows of a store, for the verbs that read a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.results import Row

__all__ = ["KEY", "runs", "stored_rows"]

KEY = 12
"""Digits of a cell key that are shown: enough to name it."""


def stored_rows(output: Path) -> list[Row]:
    """Read the newest row of every cell.

    Raises
    ------
    NotFoundError
        If there is no store, or nothing in it.
    """
    from sparsebench.results import ResultStore  # noqa: PLC0415 - keeps `--help` quick

    store = ResultStore(output)
    rows = store.latest() if store.exists() else []
    if not rows:
        raise _no_rows(output, "--output")
    return rows


def runs(directory: Path, option: str) -> list[Row]:
    """Read all rows of a store, also several runs of a cell.

    Raises
    ------
    NotFoundError
        If there is no store, or nothing in it; the mend names the option that names the store.
    """
    from sparsebench.results import ResultStore  # noqa: PLC0415 - keeps `--help` quick

    store = ResultStore(directory)
    rows = store.rows() if store.exists() else []
    if not rows:
        raise _no_rows(directory, option)
    return rows


def _no_rows(directory: Path, option: str) -> NotFoundError:
    return NotFoundError(
        f"{directory}: no rows there", help=f"`sparsebench eval SUBMISSION` makes some; or give {option}"
    )
