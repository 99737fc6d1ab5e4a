"""Badges of a board: who leads each task. JSON for endpoints of shields.io, and the same as SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sparsebench.boards.api import json_bytes
from sparsebench.boards.edition import task_file_name
from sparsebench.leaderboard.escape import for_terminal, for_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.boards.edition import Edition
    from sparsebench.leaderboard.board import Board

__all__ = ["badge_files"]

_NAMED = 2  # leaders that a badge names
_LONGEST = 40  # letters of a name
_WIDTH = 6.6  # pixels of a letter, on average; textLength makes the text fit whatever the font is
_MARGIN = 10
_COLOR = "1f6feb"

_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img">
<title>{label}: {message}</title>
<rect width="{left}" height="20" fill="#444"/>
<rect x="{left}" width="{right}" height="20" fill="#{color}"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="5" y="14" textLength="{left_text}">{label}</text>
<text x="{right_at}" y="14" textLength="{right_text}">{message}</text>
</g>
</svg>
"""


class _Badge(NamedTuple):
    label: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """Return what an endpoint of shields.io reads."""
        return {"schemaVersion": 1, "label": self.label, "message": self.message, "color": _COLOR}

    def as_svg(self) -> str:
        """Return the badge as an image that needs no other file."""
        left, right = (int(_WIDTH * len(text)) + _MARGIN for text in self)
        return _SVG.format(
            label=for_xml(self.label),
            message=for_xml(self.message),
            width=left + right,
            left=left,
            right=right,
            right_at=left + _MARGIN // 2,
            left_text=left - _MARGIN,
            right_text=right - _MARGIN,
            color=_COLOR,
        )


def badge_files(edition: Edition) -> dict[str, bytes]:
    """Return path -> content: ``badge`` for the whole board, and ``badges/TASK`` for each task."""
    badges = {"badge": _of_board(edition.board)}
    for number, task in enumerate(edition.board.tasks):
        badges[f"badges/{task_file_name(task.ref)}"] = _of_task(edition.board, number)
    found = {}
    for path, badge in badges.items():
        found[f"{path}.json"] = json_bytes(badge.as_json())
        found[f"{path}.svg"] = badge.as_svg().encode()
    return found


def _of_board(board: Board) -> _Badge:
    """Name who leads over all tasks; where nobody enters all of several, count the entries."""
    leaders = [entry for entry in board.entries if entry.rank is not None and entry.rank.best == 1]
    if leaders and len(board.tasks) > 1:
        return _Badge("sparsebench", _leading([e.submission for e in leaders], leaders[0].score or 0.0))
    if len(board.tasks) == 1:
        return _of_task(board, 0)
    return _Badge("sparsebench", f"{len(board.entries)} entries on {len(board.tasks)} tasks")


def _of_task(board: Board, number: int) -> _Badge:
    found = [(e.submission, s.score) for e, s in board.ranked(number) if s.rank and s.rank.best == 1]
    ref = for_terminal(board.tasks[number].ref, _LONGEST)
    return _Badge(ref, _leading([name for name, _ in found], found[0][1]) if found else "no entry yet")


def _leading(names: Sequence[str], best: float) -> str:
    """Return the entries that may hold the first place, and the best score of them."""
    named = ", ".join(for_terminal(name, _LONGEST) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{named}{more} {best:.3f}"
