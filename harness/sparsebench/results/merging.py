"""The rows of several stores in one."""

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

_CLOCKS = timedelta(days=1)  # by how much the clocks of two machines may differ


class Merged(NamedTuple):
    """What became of the rows of some stores."""

    path: Path | None
    """The new file; None where every row was there already."""
    added: int
    """Rows in it."""
    already: int
    """Rows that were there already, or came twice."""


def merge_stores(sources: Sequence[Path], into: Path) -> Merged:
    """Add the rows of stores to another one, in one new file: it is there whole, or not at all.

    A row is what it says: of rows that agree in every column one is kept, of runs of a cell that differ all.

    Parameters
    ----------
    sources
        Directories of stores. They are only read.
    into
        Directory of the store that gets the rows; made where there is none.

    Raises
    ------
    NotFoundError
        A source has no rows.
    IntegrityError
        Something in a store is no file of rows, or of a schema that is not read, or a row says that it will
        end: it would be the newest for ever. The message names it.
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
    """Refuse rows of the future, but for clocks that differ: of several runs of a cell the newest counts."""
    latest = datetime.now(UTC) + _CLOCKS
    for row in rows:
        if datetime.fromisoformat(row.ended) > latest:
            raise IntegrityError(
                f"{source}: row {row.cell_key[:12]}... ended at {row.ended}, expected a time that is past",
                help="evaluate the cell again, on a machine whose clock is right",
            )
