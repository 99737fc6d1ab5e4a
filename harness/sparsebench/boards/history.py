"""What may follow what: rules between a published board and the next one in its folder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.boards.record import Earlier, Event
from sparsebench.errors import IntegrityError
from sparsebench.leaderboard.board import short_hash
from sparsebench.leaderboard.escape import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.boards.edition import Edition
    from sparsebench.boards.record import Figures, Kind, Record

__all__ = ["Change", "changes_of", "check_scores", "check_versions", "earlier_of", "events_of"]

OWN = ("instances", "seeds", "failed_share", "score_plain", "score", "low", "high")
"""The figures that follow from an entry's own rows: another entry's never change them."""

_VERSIONS = ("scoring_version", "cost_model")
_SAME = 1e-9  # to which scores of two machines agree: see docs/trust.md
_KEPT = 200  # events that a record keeps
_NAMED = 12  # entries that one event names


class Change(NamedTuple):
    """A figure of an unchanged submission that is another one than before."""

    submission: str
    """Its name."""
    task: str
    """Task reference."""
    column: str
    """Which figure: one of `OWN`."""
    old: float | None
    """What was published."""
    new: float | None
    """What the rows say; None as well where it no longer enters the task."""

    @property
    def told(self) -> str:
        """The change in words, as one line."""
        name, task = for_terminal(self.submission), for_terminal(self.task)
        return f"{name} on {task}: {self.column} was {_shown(self.old)}, is {_shown(self.new)}"


def check_versions(before: Record, now: Record, where: str) -> None:
    """Refuse that scores by two sets of rules, or on two versions of data, meet in one publication.

    Parameters
    ----------
    before, now
        What is published, and what is to follow it.
    where
        The folder, for the error.

    Raises
    ------
    IntegrityError
        The scoring version, the cost model, or the hash of a task of one name differ.
    """
    for name in _VERSIONS:
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            raise _never_meet(where, f"{name} {old}", f"{name} {new}")
    hashes = {task.ref: task.hash for task in before.tasks}
    for task in now.tasks:
        old = hashes.get(task.ref, task.hash)
        if old != task.hash:
            ref = for_terminal(task.ref)
            raise _never_meet(where, f"{ref} ({short_hash(old)})", f"{ref} ({short_hash(task.hash)})")


def _never_meet(where: str, old: str, new: str) -> IntegrityError:
    return IntegrityError(
        f"{where} holds a board of {old}, expected the same, got rows of {new}: they never share tables",
        help="publish --into another folder; or give --release NAME: what is there moves to releases/NAME",
    )


def changes_of(before: Record, now: Record) -> list[Change]:
    """Return what changed of the figures of submissions that did not change themselves.

    Figures are compared where they are by the same rules, on the same data, also with those of code that was
    away meanwhile. Tasks that left the board count as no change of a score.
    """
    found: list[Change] = []
    for old in _known(before, now):
        if _is_on(now, old):
            new = now.entries[old.submission].tasks.get(old.task.ref)
            found += _changed(old.submission, old.task.ref, old.figures, new)
    return found


def earlier_of(before: Record, now: Record) -> list[Earlier]:
    """Return the figures that were published by the same rules, of code that is away now."""
    return [old for old in _known(before, now) if not _is_on(now, old)]


def _known(before: Record, now: Record) -> list[Earlier]:
    """Return all figures that were ever published by the rules of another record."""
    if any(getattr(before, name) != getattr(now, name) for name in _VERSIONS):
        return []
    tasks = {task.ref: task for task in before.tasks}
    last = [
        Earlier(submission=name, submission_hash=entry.submission_hash, task=tasks[ref], figures=figures)
        for name, entry in before.entries.items()
        for ref, figures in entry.tasks.items()
        if ref in tasks
    ]
    return sorted([*before.earlier, *last], key=lambda old: (old.submission, old.task.ref))


def _is_on(now: Record, old: Earlier) -> bool:
    """Return whether a board has this code, and this task."""
    entry = now.entries.get(old.submission)
    return entry is not None and entry.submission_hash == old.submission_hash and old.task in now.tasks


def _changed(name: str, task: str, old: Figures, new: Figures | None) -> Iterator[Change]:
    if new is None:
        yield Change(name, task, "score", old.score, None)
        return
    for column in OWN:
        one, other = getattr(old, column), getattr(new, column)
        if not _agree(one, other):
            yield Change(name, task, column, one, other)


def _agree(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_SAME, abs_tol=_SAME)


def check_scores(changes: Sequence[Change]) -> None:
    """Refuse to publish other scores of the same code without anybody saying so.

    Raises
    ------
    IntegrityError
        There are such changes: the first submission and task are named, with every column that changed.
    """
    if not changes:
        return
    first = changes[0]
    same = [change for change in changes if change[:2] == first[:2]]
    columns = ", ".join(f"{c.column} was {_shown(c.old)}, is {_shown(c.new)}" for c in same)
    others = len({change[:2] for change in changes}) - 1
    more = f" (and {others} more such entries of tasks)" if others else ""
    name, task = for_terminal(first.submission), for_terminal(first.task)
    raise IntegrityError(
        f"{name} is the same code as published, but on {task} its {columns}{more}",
        help="`sparsebench results verify` tells which rows differ; "
        "--accept-changes publishes, and says so in the feed",
    )


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.10g}"


def events_of(
    before: Record | None,
    now: Record,
    edition: Edition,
    changes: Sequence[Change] = (),
    release: str | None = None,
) -> list[Event]:
    """Return the events of a record that follows another one: those that were, and what is changed.

    Nothing is added where nothing changed, and dates are those of rows, so the same rows make the same feed.
    """
    dates = {
        entry.submission: max((row.ended for row in edition.counting(entry)), default=edition.updated)
        for entry in edition.board.entries
    }
    kept = [] if before is None else list(before.events)
    number = kept[-1].number + 1 if kept else 0
    told: list[tuple[Kind, str, str, str]] = []
    if before is None:
        told.append(("begun", "The board begins", _composition(now), edition.updated))
    else:
        if release is not None:
            text = f"The earlier tables are kept under releases/{release}. {_composition(now)}"
            told.append(("release", f"Release {release} is closed", text, edition.updated))
        if {task.ref for task in before.tasks} != {task.ref for task in now.tasks}:
            told.append(("tasks", "The board has other tasks", _composition(now), edition.updated))
        told += _comings(before, now, dates, edition.updated)
        if changes:
            text = "; ".join(change.told for change in changes[:_NAMED]) + _more(len(changes))
            told.append(("rescored", "Scores of unchanged code differ", text, edition.updated))
        if release is None:
            told += _moves(before, now, edition.updated)
    events = [
        Event(number=number + place, kind=kind, title=title, text=text, updated=updated)
        for place, (kind, title, text, updated) in enumerate(told)
    ]
    return [*kept, *events][-_KEPT:]


def _composition(now: Record) -> str:
    tasks = ", ".join(f"{for_terminal(task.ref)} ({short_hash(task.hash)})" for task in now.tasks)
    return (
        f"{len(now.entries)} entries on {tasks}, by scoring version {now.scoring_version} and cost model "
        f"{now.cost_model}."
    )


def _comings(
    before: Record, now: Record, dates: Mapping[str, str], updated: str
) -> Iterator[tuple[Kind, str, str, str]]:
    for name, entry in now.entries.items():
        shown = for_terminal(name)
        scores = "; ".join(_score(task, figures) for task, figures in sorted(entry.tasks.items()))
        if name not in before.entries:
            yield "entered", f"{shown} enters", scores, dates.get(name, updated)
        elif before.entries[name].submission_hash != entry.submission_hash:
            yield "changed", f"{shown} has other code", scores, dates.get(name, updated)
    for name in sorted(before.entries.keys() - now.entries.keys()):
        yield "left", f"{for_terminal(name)} leaves", "It has no rows on the board's tasks.", updated


def _score(task: str, figures: Figures) -> str:
    place = _places(figures)
    return f"{for_terminal(task)}: {figures.score:.3f}" + (f", place {place}" if place else "")


def _moves(before: Record, now: Record, updated: str) -> Iterator[tuple[Kind, str, str, str]]:
    """Yield for each task which entries that stay on it have other places than before."""
    for task in now.tasks:
        moved = []
        for name, entry in now.entries.items():
            old = before.entries[name].tasks.get(task.ref) if name in before.entries else None
            new = entry.tasks.get(task.ref)
            if old is not None and new is not None and _places(old) != _places(new):
                moved.append(f"{for_terminal(name)} from {_places(old) or '-'} to {_places(new) or '-'}")
        if moved:
            text = "; ".join(moved[:_NAMED]) + _more(len(moved))
            yield "places", f"Places on {for_terminal(task.ref)}", text, updated


def _places(figures: Figures) -> str:
    if figures.rank_best is None:
        return ""
    alone = figures.rank_best == figures.rank_worst
    return str(figures.rank_best) if alone else f"{figures.rank_best}-{figures.rank_worst}"


def _more(number: int) -> str:
    return f"; and {number - _NAMED} more" if number > _NAMED else ""
