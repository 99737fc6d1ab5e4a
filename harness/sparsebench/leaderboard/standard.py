"""The standard board: the instances, seeds and references that are used unless a user chooses others.

`sparsebench eval`, `leaderboard show` and `leaderboard build` all use it, so the same rows give the same
figures in each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sparsebench.errors import NotFoundError
from sparsebench.ground.meant import did_you_mean
from sparsebench.leaderboard.board import ENOUGH_SEEDS
from sparsebench.leaderboard.build import build_board
from sparsebench.results.adhoc import is_ad_hoc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sparsebench.leaderboard.board import Board
    from sparsebench.leaderboard.frozen import Frozen
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.models import SubmissionFolder
    from sparsebench.results import Row
    from sparsebench.tasks import Task

__all__ = ["REFERENCES", "Choice", "board_of", "tasks_of"]

REFERENCES = {
    "lipschitz-regression": "dense-features",
    "memorization": "one-hidden-layer",
    "routed-classification": "dense-mlp",
    "cube": "dense-mlp",
}
"""Name of a task, of all its versions -> the shipped dense submission that operations are compared with."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The choice of a board's rows, and how it is scored."""

    instances: tuple[str, ...] = ()
    """Only these instances, of any task that has them; empty for those that have rows."""
    small: bool = False
    """Only the small ones of them."""
    submissions: tuple[str, ...] = ()
    """Only these entries; empty for all."""
    tags: bool = True
    """Whether entries are shown that get the domains."""
    seeds: int = ENOUGH_SEEDS
    """How many seeds the board should have."""
    frozen: Frozen | None = None
    """The instances and seeds of the board, whatever rows there are."""
    profile: str = "ops"
    """What a cell costs: a name of :data:`sparsebench.leaderboard.cells.PROFILES`."""
    titled: bool = False
    """Whether shipped submissions have their titles."""
    prices: PriceList | None = None
    """A price list to show beside the standard one."""


def board_of(rows: Sequence[Row], tasks: Sequence[Task], choice: Choice | None = None) -> Board:
    """Build a board on which all entries are scored on the same instances.

    These are those of a frozen board, or the chosen ones; else, for each task, those of the standard board
    that have rows; else all that have rows.

    Raises
    ------
    NotFoundError
        There are no rows of the chosen cells.
    UsageError
        See :func:`sparsebench.leaderboard.build_board`.
    """
    choice = choice or Choice()
    _check(rows, choice)
    entered = [row for row in rows if not is_ad_hoc(row.variant)]
    shipped, states = _shipped(entered), {(row.submission, row.submission_hash) for row in entered}
    # Only rows of the shipped submission, not of another one with its name.
    genuine = {name for name, of in shipped.items() if (name, of.hash) in states}
    present = {task.ref: {row.instance for row in entered if _is_of(row, task)} for task in tasks}
    scored = {task.ref: _scored(task, present[task.ref], choice) for task in tasks}
    seeds = choice.seeds if choice.frozen is None else choice.frozen.seeds
    shown = [task for task in tasks if scored[task.ref]]
    if not shown:
        small = "small " if choice.small else ""
        among = ", ".join(choice.instances) or f"any {small}instance"
        message = f"no rows of {among} of {', '.join(task.ref for task in tasks)}"
        tried = ", without -p: rows of settings from the command line are never on a board"
        mend = f"choose less narrowly, or evaluate them{tried * (len(entered) < len(rows))}"
        raise NotFoundError(message, help=mend)
    board = build_board(
        rows,
        shown,
        titles={name: shipped[name].manifest.title for name in genuine} if choice.titled else {},
        instances=scored,
        submissions=choice.submissions or None,
        tags=choice.tags,
        references={task.ref: name for task in shown if (name := REFERENCES.get(task.name)) in genuine},
        states={name: of.hash for name, of in shipped.items()},
        seeds=seeds,
        frozen=choice.frozen is not None,
        profile=choice.profile,
        prices=choice.prices,
    )
    parts = [note for task in shown for note in _parts(task, scored[task.ref], present[task.ref])]
    public = [note for task in shown for note in _public_tests(task, scored[task.ref])]
    some = ["places are among the entries shown"] if choice.submissions else []
    return replace(board, notes=(*parts, *some, *board.notes, *public))


def _check(rows: Sequence[Row], choice: Choice) -> None:
    """Check that given names occur in rows: a typing error must not make an empty board."""
    for what, names in (("instance", choice.instances), ("submission", choice.submissions)):
        known = {getattr(row, what) for row in rows}
        for name in names:
            if name not in known:
                message = f"no row is of {'an' if what == 'instance' else 'a'} {what} called {name!r}"
                raise NotFoundError(message, help=f"there are rows of: {', '.join(sorted(known))}")


def tasks_of(rows: Sequence[Row], refs: Sequence[str], choice: Choice) -> list[Task]:
    """Load the requested tasks, or else those of a frozen board, or else the newest of all that have rows.

    Rows of an earlier version count for a later one that has their instance.
    """
    from sparsebench.tasks import load_task, newest_tasks  # noqa: PLC0415 - only where there are rows

    frozen = choice.frozen.instances if choice.frozen is not None else ()
    if named := refs or sorted(frozen):
        return [load_task(ref) for ref in named]
    return newest_tasks(sorted({row.task for row in rows}))


def _is_of(row: Row, task: Task) -> bool:
    """Return whether a row is of a task: of this version, or of the earlier one that had its instance."""
    return row.task == task.home(row.instance).ref


def _shipped(rows: Sequence[Row]) -> dict[str, SubmissionFolder]:
    """Return the shipped submissions that are named in rows."""
    from sparsebench.models import find_submission, shipped_names  # noqa: PLC0415 - only where there are rows

    named = {row.submission for row in rows}
    return {name: find_submission(name) for name in shipped_names() if name in named}


def _scored(task: Task, present: set[str], choice: Choice) -> set[str]:
    if choice.frozen is not None:
        return set(_known(task, choice.frozen.instances.get(task.ref, ())))
    chosen = present & set(choice.instances) if choice.instances else present & _board_of(task) or present
    if choice.small:
        chosen = {name for name in chosen if name in task.instances and task.instances[name].small}
    return chosen


def _known(task: Task, names: Sequence[str]) -> Sequence[str]:
    """Check that the instances of a frozen board exist: a typing error must not count as failed cells."""
    for name in names:
        if name not in task.instances:
            message = f"board.toml: {task.ref} has no instance called {name!r}"
            first = next(iter(task.instances))
            raise NotFoundError(
                message, help=did_you_mean(name, task.instances) or f"did you mean {first!r}?"
            )
    return names


def _board_of(task: Task) -> set[str]:
    """Return the names of the standard board's instances: all, for a task that names none."""
    return set(task.board or task.instances)


def _parts(task: Task, scored: set[str], present: set[str]) -> Iterator[str]:
    """Yield notes on tasks that are scored on other instances than those of the standard board."""
    board = _board_of(task)
    if scored != board:
        others = f" and {len(scored - board)} more" if scored - board else ""
        on = f"on {len(scored & board)} of the standard board's {len(board)} instances{others}"
        without = f"; without {', '.join(sorted(board - scored))}" if board - scored else ""
        yield f"{task.ref}: {on} ({', '.join(sorted(scored))}){without}"
    if left := sorted(present - scored - board):
        yield f"{task.ref}: rows of other instances are left out: {', '.join(left)}"


def _public_tests(task: Task, names: set[str]) -> Iterator[str]:
    """Yield notes on instances whose answers a submission can ship, because nobody can draw new inputs.

    Memorization has none of them: its task is the test split itself.
    """
    known = {name: task.instances[name] for name in names if name in task.instances}
    public = sorted(name for name, spec in known.items() if spec.public_test)
    if public and task.metric != "recall":
        yield f"{task.ref}: public tests, whose answers a submission can ship: {', '.join(public)}"
