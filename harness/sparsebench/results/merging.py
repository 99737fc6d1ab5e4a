"""The rows of several stores in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import NotFoundError
from sparsebench.results.store import ResultStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["Merged", "merge_stores"]


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
        Something in a store is no file of rows, or of a schema that is not read; the message names it.
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
        given += len(rows)
        known.update(dict.fromkeys(rows))
    new = list(known)[before:]
    return Merged(target.add(new) if new else None, len(new), given - len(new))
