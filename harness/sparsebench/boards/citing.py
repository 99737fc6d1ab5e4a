"""A published board as an entry for BibTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.leaderboard.board import short_hash
from sparsebench.leaderboard.escape import for_bibtex

if TYPE_CHECKING:
    from sparsebench.boards.edition import Edition

__all__ = ["bibtex"]

_LONGEST = 2000


def bibtex(edition: Edition) -> str:
    """Return the board as ``@misc``: title, year of its newest row, and the versions that it is of."""
    board = edition.board
    tasks = ", ".join(f"{task.ref} ({short_hash(task.hash)})" for task in board.tasks)
    note = (
        f"{len(board.entries)} entries, rows up to {edition.updated[:10]}; scoring version "
        f"{board.scoring_version}, cost model {board.cost_model}; tasks {tasks}"
    )
    fields = {
        "title": f"{{{for_bibtex(edition.title)}}}",
        "year": edition.updated[:4],
        "note": for_bibtex(note, _LONGEST),
    }
    if edition.base_url:
        fields["howpublished"] = rf"\url{{{edition.base_url}}}"
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items()]
    return "@misc{sparsebench-board,\n" + ",\n".join(lines) + "\n}\n"
