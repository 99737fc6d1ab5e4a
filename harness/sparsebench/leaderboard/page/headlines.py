"""What a chart's title says: the task's finding, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.leaderboard.columns import short_number

if TYPE_CHECKING:
    from sparsebench.leaderboard.board import Board, Ratio, TaskScore

__all__ = ["headline"]


def headline(board: Board, number: int) -> str:
    """Return a sentence on the best ranked entry of a task, beside the dense reference where there is one."""
    ranked = [(entry, score) for entry, score in board.ranked(number) if not entry.uses_tags]
    if not ranked or not ranked[0][1].score:
        return "No entry buys anything within the box."
    best, score = ranked[0]
    reference = board.tasks[number].reference
    for entry, own in ranked:
        ratio = _told(own)
        if reference is None or ratio is None or entry.submission == reference:
            continue
        times = short_number(ratio.times or 0.0)
        where = f"on {ratio.instances} of {len(own.areas)} instances"
        return (
            f"{entry.submission} takes {times} times fewer operations than {reference} "
            f"for quality {ratio.quality:g}, {where}"
        )
    behind = f", before {ranked[1][0].submission} with {ranked[1][1].score:.3f}" if len(ranked) > 1 else ""
    return f"{best.submission} buys most: {score.score:.3f} of 1{behind}"


def _told(score: TaskScore) -> Ratio | None:
    """Return the ratio at the quality that it reaches on most instances; None where none is reached."""
    reached = [ratio for ratio in score.ratios if ratio.times is not None]
    return max(reached, key=lambda each: (each.instances, each.quality), default=None)
