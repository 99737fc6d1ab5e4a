"""What a reader must know before comparing the entries of a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.leaderboard.board import ENOUGH_SEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sparsebench.leaderboard.board import BoardTask, Entry

__all__ = ["notes_on"]


def notes_on(tasks: Sequence[BoardTask], entries: Iterable[Entry]) -> list[str]:
    """Return the notes, one line each: different instances, missing cells, too few seeds."""
    by_name = sorted(entries, key=lambda entry: entry.submission)
    return [*_instances(tasks, by_name), *_missing(by_name), *_seeds(by_name)]


def _instances(tasks: Sequence[BoardTask], entries: Sequence[Entry]) -> Iterator[str]:
    for column, task in enumerate(tasks):
        scores = (entry.tasks[column] for entry in entries)
        plans = {score.instances for score in scores if score is not None}
        if len(plans) > 1:
            yield f"{task.ref}: entries were evaluated on different instances; their scores do not compare"


def _missing(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        scores = [score for score in entry.tasks if score is not None]
        missing = sum(point.n_missing for score in scores for point in score.points)
        if missing:
            yield f"{entry.submission}: {missing} cells without a row count as failed: run with --resume"


def _seeds(entries: Sequence[Entry]) -> Iterator[str]:
    few = [entry.submission for entry in entries if entry.seeds < ENOUGH_SEEDS]
    if few:
        yield f"needs more seeds (fewer than {ENOUGH_SEEDS}): {', '.join(few)}"
