"""Notes that a reader must know before comparing the entries of a board."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sparsebench.scoring import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sparsebench.leaderboard.board import BoardTask, Entry, TaskScore
    from sparsebench.results import Row

__all__ = ["notes_on"]


def notes_on(
    tasks: Sequence[BoardTask], entries: Iterable[Entry], rows: Iterable[Row], seeds: int
) -> list[str]:
    """Return the notes, one line each: missing cells, models that are too large, seeds that do not count.

    Parameters
    ----------
    tasks, entries
        The board's.
    rows
        All rows that it was made from.
    seeds
        The number of its seeds.
    """
    by_name = sorted(entries, key=lambda entry: entry.submission)
    shown = {entry.submission for entry in by_name}
    of_them = [row for row in rows if row.submission in shown]
    return [*_missing(by_name), *_large(by_name), *_others(of_them, seeds), *_empty(tasks)]


def _missing(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        missing = sum(point.n_missing for score in _scores(entry) for point in score.points)
        if missing:
            yield f"{entry.submission}: {missing} cells without a row count as failed: run with --resume"


def _large(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        large = Counter[str]()
        for score in _scores(entry):
            large.update({point.variant: point.n_large for point in score.points if point.n_large})
        for variant, cells in sorted(large.items()):
            what = f"the models of {cells} cells store more than {MOST_BYTES >> 20} MiB"
            yield f"{entry.submission}/{variant}: {what}: they are shown, and score nothing"


def _others(rows: Iterable[Row], seeds: int) -> Iterator[str]:
    beyond = sorted({(row.submission, row.seed) for row in rows if row.seed >= seeds})
    names = sorted({name for name, _ in beyond})
    if names:
        yield f"rows of other seeds than 0 to {seeds - 1} are not counted: {', '.join(names)}"


def _empty(tasks: Sequence[BoardTask]) -> Iterator[str]:
    for task in tasks:
        if not task.instances:
            yield f"{task.ref}: no rows"


def _scores(entry: Entry) -> Iterator[TaskScore]:
    return (score for score in entry.tasks if score is not None)
