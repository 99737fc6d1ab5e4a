"""Boards of stored rows, for the verbs that show one: the options that choose the rows, and building it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sparsebench.cli.kinds import OneOf, PathTo, Whole
from sparsebench.cli.options import Names
from sparsebench.cli.stored import runs
from sparsebench.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.leaderboard import Board
    from sparsebench.leaderboard.publication import Publication
    from sparsebench.leaderboard.standard import Choice
    from sparsebench.results import Row
    from sparsebench.tasks import Task

__all__ = [
    "PROFILES",
    "board_of_store",
    "boards_of_store",
    "choosing",
    "fixed_by",
    "frozen_option",
    "profile_option",
    "publication_of_store",
    "terminal_width",
]

PROFILES = ("ops", "add-mul-cmp", "macs", "paper-router-free")
"""What a board may be scored by; written here so that `--help` imports no board."""


def choosing(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that choose the rows of a board."""
    for option in (
        click.option(
            "--seeds",
            type=Whole(min=1),
            default=5,
            show_default=True,
            metavar="M",
            help="The number M of seeds of the board: 0 to M - 1, for every entry.",
        ),
        click.option("--small", is_flag=True, help="Only the small instances."),
        click.option(
            "--instances", type=Names(), default="", help="Only these instances. Default: those with rows."
        ),
        click.option("--tasks", type=Names(), default="", help="Only these tasks."),
    ):
        verb = option(verb)
    return verb


frozen_option = click.option(
    "--frozen",
    type=PathTo(path_type=Path, dir_okay=False),
    help="A board.toml, which lists the instances and seeds of the board.",
)
"""A published board's instances and seeds."""

profile_option = click.option(
    "--profile",
    type=OneOf(PROFILES),
    default="ops",
    show_default=True,
    help="What a cell costs: every operation (the standard board); additions, multiplications and "
    "comparisons; multiply-accumulates; or every operation but the router's.",
)
"""What a cell costs."""


def fixed_by(frozen: Path | None, choice: Choice, *also: str) -> Choice:
    """Return a choice with the instances and seeds of a board.toml, if one is given.

    Raises
    ------
    UsageError
        There is an option that it fixes, one of `also` among them: it would have no effect.
    """
    if frozen is None:
        return choice
    from sparsebench.leaderboard.frozen import read_frozen  # noqa: PLC0415 - keeps `--help` quick

    context = click.get_current_context()
    for name in (*also, "instances", "small", "seeds"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            message = f"{frozen} says what is on this board, expected no --{name}"
            raise UsageError(message, help="leave it out, or make another board in another folder")
    return replace(choice, frozen=read_frozen(frozen))


def board_of_store(output: Path, tasks: tuple[str, ...], choice: Choice) -> Board:
    """Build the board of the requested tasks, or else of all that have rows."""
    (board,) = boards_of_store(output, tasks, choice)
    return board


def boards_of_store(output: Path, tasks: tuple[str, ...], choice: Choice, *others: Choice) -> list[Board]:
    """Build boards of the same rows, which are read once, and of the same tasks."""
    from sparsebench.leaderboard.standard import board_of  # noqa: PLC0415 - keeps `--help` quick

    rows, wanted = _rows_and_tasks(output, tasks, choice)
    return [board_of(rows, wanted, each) for each in (choice, *others)]


def publication_of_store(output: Path, tasks: tuple[str, ...], choice: Choice) -> Publication:
    """Build the board as `board_of_store` does, with its findings and its page."""
    from sparsebench.leaderboard.publication import publication_of  # noqa: PLC0415 - keeps `--help` quick

    return publication_of(*_rows_and_tasks(output, tasks, choice), choice)


def _rows_and_tasks(output: Path, tasks: tuple[str, ...], choice: Choice) -> tuple[list[Row], list[Task]]:
    """Read all rows, and load the requested tasks, or else all that have rows."""
    from sparsebench.leaderboard.standard import tasks_of  # noqa: PLC0415 - keeps `--help` quick

    rows = runs(output, "--output")  # all of them: a board notes where runs of a cell disagree
    stored = sorted({row.task for row in rows})
    wanted = tasks_of(rows, tasks, choice)
    if not {ref for task in wanted for ref in task.versions} & set(stored):
        message = f"{output}: no rows of {', '.join(task.ref for task in wanted)}"
        raise NotFoundError(message, help=f"there are rows of: {', '.join(stored)}")
    return rows, wanted


def terminal_width() -> int | None:
    """Return the width of tables: None without a terminal, so a file or a pipe gets every column."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
