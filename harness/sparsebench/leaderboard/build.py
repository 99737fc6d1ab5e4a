"""From rows to a board. A pure function: the same rows and tasks give the same board, digit for digit.

A submission's score depends on its own rows, on the tasks' boxes, and on the board's instances and seeds.
With these fixed, adding or deleting another submission's rows never changes the score.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from sparsebench.errors import UsageError
from sparsebench.leaderboard.board import ENOUGH_SEEDS, Board, BoardTask, short_hash
from sparsebench.leaderboard.cells import PROFILES, Grid
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

__all__ = ["UNRANKED", "BoardTaskLike", "build_board"]

UNRANKED = ("paper-router-free",)
"""Profiles without places: a submission that calls all of its work routing costs nothing there."""

_MEND = "evaluate again into a new --output folder, or take the older rows out of this one"


class _Version(Protocol):
    """A version of a task, whose rows name it."""

    @property
    def ref(self) -> str:
        """Task reference."""

    @property
    def hash(self) -> str:
        """Content hash."""


class BoardTaskLike(_Version, Protocol):
    """The part of a task that a board needs."""

    @property
    def homes(self) -> Mapping[str, _Version]:
        """Instance that came with an earlier version -> that version."""

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
    tags: bool = True,
    references: Mapping[str, str] | None = None,
    states: Mapping[str, str] | None = None,
    seeds: int = ENOUGH_SEEDS,
    frozen: bool = False,
    profile: str = "ops",
    prices: PriceList | None = None,
) -> Board:
    """Make a board of all submissions that have a row on one of the tasks.

    Parameters
    ----------
    rows
        Rows in any order. Of several rows of a cell the newest counts, one with status ``ok`` before any
        other. Rows of other tasks are ignored; rows with settings from the command line are left out, and a
        note says so.
    tasks
        The tasks of the board, in the order in which they are shown.
    titles
        Submission -> title, where known.
    instances
        Task -> the instances that every entry is scored on; a cell without a row counts as failed. Rows of
        other instances are ignored. Without it: all instances with rows.
    submissions
        The entries to show, and to rank among one another; without it, all. Scores do not depend on it.
    tags
        Whether to show entries that are given the domains.
    references
        Task -> the dense submission that operations are compared with, if it has rows.
    states
        Submission -> the hash of the state of its folder that counts, if there are rows of it; otherwise the
        state that was evaluated last counts. So no submission replaces another one by having its name.
    seeds
        The number of seeds of the board: those below this number. If all rows have seeds below a smaller k,
        there are k seeds, unless the board is frozen.
    frozen
        Whether instances and seeds are fixed, whatever rows there are.
    profile
        The profile that prices a cell: a name of :data:`sparsebench.leaderboard.cells.PROFILES`.
    prices
        A price list to show as one more column. Scores and ranks do not depend on it.

    Returns
    -------
    Board
        Its entries with a mean over all tasks come first, best first.

    Raises
    ------
    UsageError
        The rows were made under different scoring versions, cost models or task hashes, or under another hash
        than the task has now, or for other rules of scoring than these; a task is given twice; there are no
        seeds; or the profile does not exist.
    IntegrityError
        A row that counts has status ``ok`` without an audit that its score requires.
    """
    _check_choice(seeds, profile)
    shown = _board_tasks(tasks, instances or {}, references or {})
    present, tried = _apart(row for row in rows if any(_is_on(task, row) for task in shown))
    version, model = _only("scoring_version", present), _only("cost_model", present)
    _check_scoring(version)
    for task in shown:
        _check_hashes(task, [row for row in present if task.holds(row)])
    current, notes = _current(present, states or {})
    shown = tuple(_covered(task, current) for task in shown)
    m = seeds if frozen else min(seeds, max((row.seed + 1 for row in current), default=0))
    groups, left_out = _entering(_by_submission(current), submissions, {*(references or {}).values()})
    versions = {each.ref: each for task in tasks for each in (task, *task.homes.values())}
    demand_audits([row for group in groups.values() for row in group], versions)
    grids = {name: _grids(shown, theirs, m, profile) for name, theirs in groups.items()}
    compared = {
        task.ref: grids[task.reference][task.ref]
        for task in shown
        if task.reference is not None and task.ref in grids.get(task.reference, {})
    }
    shown = tuple(task if task.ref in compared else replace(task, reference=None) for task in shown)
    some = {name: theirs for name, theirs in grids.items() if _is_shown(name, theirs, submissions, tags=tags)}
    entries, pairs = make_entries(shown, some, compared, titles or {}, prices, ranked=profile not in UNRANKED)
    return Board(
        tasks=shown,
        entries=entries,
        scoring_version=version,
        cost_model=model,
        notes=(*tried, *notes, *left_out, *notes_on(shown, entries, current, m)),
        seeds=m,
        wanted_seeds=max(seeds, ENOUGH_SEEDS) if frozen else seeds,
        pairs=pairs,
        profile=profile,
        prices=None if prices is None else prices.name,
        rows=tuple(
            row
            for name in sorted(some)
            for row in groups[name]
            if row.seed < m and any(_is_on(task, row) for task in shown)
        ),
    )


def _is_on(task: BoardTask, row: Row) -> bool:
    return task.holds(row) and (not task.instances or row.instance in task.instances)


def _apart(rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Leave out rows with settings from the command line, and note it."""
    kept: list[Row] = []
    tried: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if is_ad_hoc(row.variant):
            tried[row.submission].add(row.variant)
        else:
            kept.append(row)
    what = "rows with settings from the command line are left out"
    return kept, [f"{name}: {what}: {', '.join(sorted(tried[name]))}" for name in sorted(tried)]


def _check_choice(seeds: int, profile: str) -> None:
    if seeds < 1:
        raise UsageError(f"a board of {seeds} seeds, expected at least 1", help="5 is the standard")
    if profile not in PROFILES:
        raise UsageError(
            f"no profile is called {profile!r}, expected one of {', '.join(PROFILES)}",
            help="ops is the standard one",
        )


def _entering(
    groups: Mapping[str, list[Row]], submissions: Collection[str] | None, references: Collection[str]
) -> tuple[dict[str, list[Row]], list[str]]:
    """Leave out entries that are not requested, and those with too many variants, whose best one is luck.

    They are not refused, so that nobody can prevent the board of the others.
    """
    kept, notes = {}, []
    for name, rows in groups.items():
        if submissions is not None and name not in submissions and name not in references:
            continue
        variants = {row.variant for row in rows}
        if len(variants) > MOST_VARIANTS:
            what = f"rows of {len(variants)} variants, expected at most {MOST_VARIANTS}"
            notes.append(f"{name}: {what}: it is left out")
        else:
            kept[name] = rows
    return kept, notes


def _is_shown(
    name: str, grids: Mapping[str, Grid], submissions: Collection[str] | None, *, tags: bool
) -> bool:
    if submissions is not None and name not in submissions:
        return False
    return tags or not any(grid.uses_tags for grid in grids.values())


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
            instances=tuple(sorted(set(instances.get(task.ref, ())))),
            homes={name: (home.ref, home.hash) for name, home in task.homes.items()},
            reference=references.get(task.ref),
        )
        for task in tasks
    )


def _covered(task: BoardTask, rows: Iterable[Row]) -> BoardTask:
    """Return a task with the instances to score on: the given ones, or all that have rows."""
    if task.instances:
        return task
    return replace(task, instances=tuple(sorted({row.instance for row in rows if task.holds(row)})))


def _only(name: str, rows: Iterable[Row]) -> int | None:
    values = sorted({int(getattr(row, name)) for row in rows})
    if len(values) > 1:
        raise UsageError(f"rows of {name} {values[0]} and {values[-1]} cannot share a board", help=_MEND)
    return values[0] if values else None


def _check_scoring(version: int | None) -> None:
    """Check that rows were made for the rules of scoring in use, which a board names."""
    if version not in {None, SCORING_VERSION}:
        raise UsageError(
            f"rows have scoring_version {version}, expected {SCORING_VERSION}, by which this harness scores",
            help="evaluate again, or build their board with the version of sparsebench that wrote them",
        )


def _check_hashes(task: BoardTask, rows: Sequence[Row]) -> None:
    """Check that the rows of each version were made with the data, metric and box that it has now."""
    for ref, wanted in {(task.ref, task.hash), *task.homes.values()}:
        hashes = sorted({row.task_hash for row in rows if row.task == ref})
        names = " and ".join(short_hash(value) for value in hashes)
        if len(hashes) > 1:
            raise UsageError(f"rows of {ref} with task_hash {names} cannot share a board", help=_MEND)
        if hashes and hashes[0] != wanted:
            now = short_hash(wanted)
            raise UsageError(f"rows of {ref} have task_hash {names}, but the task has {now}", help=_MEND)


def _by_submission(rows: Iterable[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.submission].append(row)
    return dict(sorted(groups.items()))


def _current(rows: Iterable[Row], states: Mapping[str, str]) -> tuple[list[Row], list[str]]:
    """Keep one state of each submission's folder, and for each cell the row that counts."""
    kept: list[Row] = []
    notes = []
    for name, theirs in _by_submission(rows).items():
        newest = max(theirs, key=lambda row: (row.ended, row.submission_hash)).submission_hash
        wanted = states.get(name, newest)
        counts = wanted if any(row.submission_hash == wanted for row in theirs) else newest
        own = [row for row in theirs if row.submission_hash == counts]
        kept += _one_per_cell(own)
        notes += _on_states(name, theirs, counts, wanted) + _on_second_tries(name, own)
    return kept, notes


def _on_states(name: str, rows: Sequence[Row], counts: str, wanted: str) -> list[str]:
    others = len({row.submission_hash for row in rows}) - 1
    notes = [f"{name}: rows of {others} other state(s) of its folder are left out"] if others else []
    if counts != wanted:
        notes.append(f"{name}: another folder than the one of that name which comes with sparsebench")
    return notes


def _on_second_tries(name: str, rows: Sequence[Row]) -> list[str]:
    """Return notes on cells whose runs gave different results, whichever row counts."""
    runs: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        runs[row.cell_key].append(row)
    again = disagree = 0
    for of_cell in runs.values():
        ran = [row for row in of_cell if row.status == "ok"]
        again += bool(ran) and any(row.status == "invalid" for row in of_cell)
        disagree += any(
            not math.isclose(row.quality or 0.0, ran[0].quality or 0.0, rel_tol=1e-9) for row in ran
        )
    notes = []
    if again:
        notes.append(f"{name}: {again} cells were invalid in another run, and count by the one that was not")
    if disagree:
        notes.append(f"{name}: {disagree} cells have runs of other quality than the newest, which counts")
    return notes


def _one_per_cell(rows: Iterable[Row]) -> Iterable[Row]:
    best: dict[str, Row] = {}
    for row in rows:
        other = best.get(row.cell_key)
        if other is None or _counts_before(row, other):
            best[row.cell_key] = row
    return list(best.values())


def _counts_before(row: Row, other: Row) -> bool:
    standing, others = ((each.status == "ok", each.ended) for each in (row, other))
    if standing != others:
        return standing > others
    return repr(row) > repr(other)  # so that the order of reading files does not matter


def _grids(tasks: Sequence[BoardTask], rows: Sequence[Row], seeds: int, profile: str) -> dict[str, Grid]:
    of_task = {task.ref: [row for row in rows if task.holds(row)] for task in tasks}
    return {task.ref: Grid(task, of_task[task.ref], seeds, profile) for task in tasks if of_task[task.ref]}
