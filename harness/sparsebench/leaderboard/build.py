"""From rows to a board. A pure function: the same rows and tasks give the same board, digit for digit.

A submission's score depends on its own rows, on the tasks' boxes, and on the board's instances and seeds. On
given ones of these, adding or deleting another submission's rows never changes it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from sparsebench.errors import UsageError
from sparsebench.leaderboard.board import ENOUGH_SEEDS, Board, BoardTask, short_hash
from sparsebench.leaderboard.cells import Grid
from sparsebench.leaderboard.entries import make_entries
from sparsebench.leaderboard.notes import notes_on
from sparsebench.results.adhoc import is_ad_hoc
from sparsebench.results.demanded import demand_audits
from sparsebench.scoring import MOST_VARIANTS, SCORING_VERSION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Row
    from sparsebench.scoring import ScoringBox

__all__ = ["BoardTaskLike", "build_board"]

_MEND = "evaluate again into a new --output folder, or take the older rows out of this one"


class BoardTaskLike(Protocol):
    """The part of a task that a board needs."""

    @property
    def ref(self) -> str:
        """Task reference."""

    @property
    def hash(self) -> str:
        """Content hash."""

    @property
    def box(self) -> ScoringBox:
        """The frozen scoring box."""


def build_board(
    rows: Iterable[Row],
    tasks: Sequence[BoardTaskLike],
    *,
    titles: Mapping[str, str] | None = None,
    instances: Mapping[str, Collection[str]] | None = None,
    submissions: Collection[str] | None = None,
    references: Mapping[str, str] | None = None,
    seeds: int = ENOUGH_SEEDS,
    profile: str = "ops",
    prices: PriceList | None = None,
) -> Board:
    """Make a board of all submissions that have a row on one of the tasks.

    Parameters
    ----------
    rows
        Rows in any order. Of several rows of a cell the newest counts, one with status ``ok`` before any
        other; of several states of a submission's folder the one evaluated last. Rows of tasks not given
        are passed over; rows with settings from the command line are left out, and a note says so.
    tasks
        The tasks of the board, in the order to show.
    titles
        Submission -> title, where known.
    instances
        Task -> the instances that every entry is scored on; a cell without a row counts as failed. Rows of
        others are passed over. Without it: all that there is a row of.
    submissions
        The entries to show and to rank among one another; without it all. Scores do not depend on it.
    references
        Task -> the dense submission that operations are compared with, where it has rows.
    seeds
        How many seeds the board has: those below this number. Where there is no row of a seed that is as
        large as some k below it, there are k of them.
    profile
        What a cell costs: a name of :data:`sparsebench.leaderboard.cells.PROFILES`.
    prices
        A price list to show beside the standard one. Scores and ranks do not depend on it.

    Returns
    -------
    Board
        Those with a mean over all tasks first, best first.

    Raises
    ------
    UsageError
        The rows were made under different scoring versions, cost models or task hashes, or under another
        hash than the task has now, or for other rules of scoring than these; a task is given twice; a
        submission has too many variants.
    IntegrityError
        A row that counts says ``ok`` without an audit that its score rests on.
    """
    shown = _board_tasks(tasks, instances or {}, references or {})
    given = {task.ref: set(task.instances) for task in shown}
    present, tried = _apart(
        row for row in rows if row.task in given and (not given[row.task] or row.instance in given[row.task])
    )
    version, model = _only("scoring_version", present), _only("cost_model", present)
    _check_scoring(version)
    for task in shown:
        _check_hash(task, [row for row in present if row.task == task.ref])
    current, notes = _current(present)
    demand_audits(current, {task.ref: task for task in tasks})
    shown = tuple(_covered(task, current) for task in shown)
    m = min(seeds, max((row.seed + 1 for row in current), default=0))
    grids = {name: _grids(shown, theirs, m, profile) for name, theirs in _by_submission(current).items()}
    compared = {
        task.ref: grids[task.reference][task.ref]
        for task in shown
        if task.reference is not None and task.ref in grids.get(task.reference, {})
    }
    shown = tuple(task if task.ref in compared else replace(task, reference=None) for task in shown)
    some = {name: theirs for name, theirs in grids.items() if submissions is None or name in submissions}
    entries, pairs = make_entries(shown, some, compared, titles or {}, prices)
    return Board(
        tasks=shown,
        entries=entries,
        scoring_version=version,
        cost_model=model,
        notes=(*tried, *notes, *notes_on(shown, entries, current, m)),
        seeds=m,
        wanted_seeds=seeds,
        pairs=pairs,
        profile=profile,
        prices=None if prices is None else prices.name,
    )


def _apart(rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Leave out what was tried with settings of the command line, and say so."""
    kept: list[Row] = []
    tried: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if is_ad_hoc(row.variant):
            tried[row.submission].add(row.variant)
        else:
            kept.append(row)
    what = "rows with settings from the command line are left out"
    return kept, [f"{name}: {what}: {', '.join(sorted(tried[name]))}" for name in sorted(tried)]


def _board_tasks(
    tasks: Sequence[BoardTaskLike],
    instances: Mapping[str, Collection[str]],
    references: Mapping[str, str],
) -> tuple[BoardTask, ...]:
    refs = [task.ref for task in tasks]
    if len(set(refs)) != len(refs) or not refs:
        raise UsageError(
            f"tasks of the board are {refs}, expected one or more, each once", help="give each task once"
        )
    return tuple(
        BoardTask(
            ref=task.ref,
            hash=task.hash,
            log2_ops_low=float(task.box.log2_ops_low),
            log2_ops_high=float(task.box.log2_ops_high),
            instances=tuple(sorted(instances.get(task.ref, ()))),
            reference=references.get(task.ref),
        )
        for task in tasks
    )


def _covered(task: BoardTask, rows: Iterable[Row]) -> BoardTask:
    """Score a task on the instances that it was given with, or on all that there are rows of."""
    if task.instances:
        return task
    return replace(task, instances=tuple(sorted({row.instance for row in rows if row.task == task.ref})))


def _only(name: str, rows: Iterable[Row]) -> int | None:
    values = sorted({int(getattr(row, name)) for row in rows})
    if len(values) > 1:
        raise UsageError(f"rows of {name} {values[0]} and {values[-1]} cannot share a board", help=_MEND)
    return values[0] if values else None


def _check_scoring(version: int | None) -> None:
    """Check that rows are scored by the rules that they were made for: a board says which these are."""
    if version not in {None, SCORING_VERSION}:
        raise UsageError(
            f"rows have scoring_version {version}, expected {SCORING_VERSION}, by which this harness scores",
            help="evaluate again, or build their board with the version of sparsebench that wrote them",
        )


def _check_hash(task: BoardTask, rows: Iterable[Row]) -> None:
    hashes = sorted({row.task_hash for row in rows})
    names = " and ".join(short_hash(value) for value in hashes)
    if len(hashes) > 1:
        raise UsageError(f"rows of {task.ref} with task_hash {names} cannot share a board", help=_MEND)
    if hashes and hashes[0] != task.hash:
        now = short_hash(task.hash)
        raise UsageError(f"rows of {task.ref} have task_hash {names}, but the task has {now}", help=_MEND)


def _by_submission(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.submission].append(row)
    return dict(sorted(groups.items()))


def _current(rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Keep each submission's folder state that was evaluated last, and of each cell the row that counts."""
    kept: list[Row] = []
    notes = []
    for name, theirs in _by_submission(rows).items():
        newest = max(theirs, key=lambda row: (row.ended, row.submission_hash)).submission_hash
        kept += _one_per_cell(row for row in theirs if row.submission_hash == newest)
        if older := len({row.submission_hash for row in theirs}) - 1:
            notes.append(f"{name}: rows of {older} earlier state(s) of its folder are left out")
    return kept, notes


def _one_per_cell(rows: Iterable[Row]) -> Iterable[Row]:
    # The row itself breaks a tie, so that the order in which files are read cannot matter.
    best: dict[str, tuple[bool, str, str, Row]] = {}
    for row in rows:
        standing = (row.status == "ok", row.ended, repr(row), row)
        if row.cell_key not in best or standing[:3] > best[row.cell_key][:3]:
            best[row.cell_key] = standing
    return [standing[3] for standing in best.values()]


def _grids(tasks: Sequence[BoardTask], rows: Sequence[Row], seeds: int, profile: str) -> dict[str, Grid]:
    _check_variants(rows)
    present = {row.task for row in rows}
    return {
        task.ref: Grid(task, [row for row in rows if row.task == task.ref], seeds, profile)
        for task in tasks
        if task.ref in present
    }


def _check_variants(rows: Sequence[Row]) -> None:
    """Check that a submission has no more variants than it may: the best of many is better by luck."""
    variants = {row.variant for row in rows}
    if len(variants) > MOST_VARIANTS:
        raise UsageError(
            f"{rows[0].submission}: rows of {len(variants)} variants, expected at most {MOST_VARIANTS}",
            help="take rows of some of them out of this folder, or show other submissions",
        )
