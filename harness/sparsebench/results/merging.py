"""Merging the rows of several stores into one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import IntegrityError, NotFoundError
from sparsebench.results.store import ResultStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sparsebench.results.row import Row

__all__ = ["Merged", "merge_stores"]

_CLOCKS = timedelta(days=1)  # most by which the clocks of two machines may differ


class Merged(NamedTuple):
    """The numbers of rows after a merge."""

    path: Path | None
    """The new file; None where every row was there already."""
    added: int
    """Rows in it."""
    already: int
    """Rows that were there already, or came twice."""


def merge_stores(sources: Sequence[Path], into: Path) -> Merged:
    """Add the rows of stores to another one, in one new file, which is written whole or not at all.

    Of rows that agree in every column one is kept; different runs of a cell are all kept.

    Parameters
    ----------
    sources
        Directories of stores. They are only read.
    into
        Directory of the store that gets the rows; made if there is none.

    Raises
    ------
    NotFoundError
        A source has no rows.
    IntegrityError
        Something in a store is not a file of rows, or has an unknown schema, or a row ends in the future: it
        would be the newest for ever. The error names it.
    UsageError
        As :meth:`sparsebench.results.ResultStore.write`.
    """
    target = ResultStore(into)
    known = dict.fromkeys(target.rows())
    before, given = len(known), 0
    for source in sources:
        rows = ResultStore(source).rows()
        if not rows:
            raise NotFoundError(
                f"{source}: no rows there", help="give directories that `sparsebench eval` wrote"
            )
        _check_times(rows, source)
        given += len(rows)
        known.update(dict.fromkeys(rows))
    new = list(known)[before:]
    return Merged(target.add(new) if new else None, len(new), given - len(new))


def _check_times(rows: Sequence[Row], source: Path) -> None:
    """Refuse rows that end in the future by more than clocks differ: the newest run of a cell counts."""
    latest = datetime.now(UTC) + _CLOCKS
    for row in rows:
        if datetime.fromisoformat(row.ended) > latest:
            raise IntegrityError(
                f"{source}: row {row.cell_key[:12]}... ended at {row.ended}, expected a time that is past",
                help="evaluate the cell again, on a machine whose clock is right",
            )
