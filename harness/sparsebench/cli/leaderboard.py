"""``sparsebench leaderboard``."""

from __future__ import annotations

import functools
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sparsebench.cli.kinds import OneOf, PathTo, Whole
from sparsebench.cli.leaderboard_plot import drawing, print_charts, write_charts
from sparsebench.cli.mistakes import Verbs
from sparsebench.cli.options import Names, output_option
from sparsebench.cli.prices import prices_option
from sparsebench.cli.stored import runs
from sparsebench.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.leaderboard import Board
    from sparsebench.leaderboard.findings import Finding
    from sparsebench.leaderboard.standard import Choice
    from sparsebench.meter.pricelist import PriceList

__all__ = ["command", "terminal_width"]

_PROFILES = ("ops", "add-mul-cmp", "macs", "paper-router-free")
_SORTS = ("score", "name", "x.5", "x.7", "x.9", "router", "p95", "failed")


@click.group("leaderboard", cls=Verbs)
def command() -> None:
    """Show the board of stored rows, or publish it.

    \b
    Example:
      sparsebench leaderboard show
    """


def _choosing(verb: Callable[..., Any]) -> Callable[..., Any]:
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


_into_option = functools.partial(
    click.option,
    "--into",
    type=PathTo(path_type=Path, file_okay=False),
    default=Path("leaderboard"),
    show_default=True,
)


_frozen_option = click.option(
    "--frozen",
    type=PathTo(path_type=Path, dir_okay=False),
    help="A board.toml, which lists the instances and seeds of the board.",
)


@command.command("show")
@_choosing
@_frozen_option
@click.option("--submissions", type=Names(), default="", help="Only these entries, ranked among one another.")
@click.option(
    "--tags",
    type=OneOf(["yes", "no"]),
    default="yes",
    show_default=True,
    help="Whether to show entries that are given the domains.",
)
@click.option(
    "--by",
    type=OneOf(["task", "instance"]),
    default="task",
    show_default=True,
    help="A score for each task, or an area for each instance.",
)
@click.option("--sort", type=OneOf(_SORTS), default="score", show_default=True)
@click.option(
    "--profile",
    type=OneOf(_PROFILES),
    default="ops",
    show_default=True,
    help="The profile that prices a cell. Only `ops` is the standard board.",
)
@click.option(
    "--format",
    "form",
    type=OneOf(["terminal", "markdown", "csv"]),
    default="terminal",
    show_default=True,
    help="csv prints the points.",
)
@prices_option
@click.option("--plot", "as_charts", is_flag=True, help="Draw charts instead of tables: one for each task.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole board as a JSON object.")
@output_option
def show(
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    submissions: tuple[str, ...],
    seeds: int,
    tags: str,
    by: str,
    sort: str,
    profile: str,
    form: str,
    frozen: Path | None,
    prices: PriceList | None,
    output: Path,
    *,
    small: bool,
    as_charts: bool,
    as_json: bool,
) -> None:
    """Print the board.

    It covers the instances that have rows; a note lists what else the standard board has. If the terminal is
    too narrow, columns are left out, and named.

    \b
    Examples:
      sparsebench leaderboard show
      sparsebench leaderboard show --tasks memorization@1 --format markdown
      sparsebench leaderboard show --by instance --sort x.7
      sparsebench leaderboard show --profile paper-router-free
      sparsebench leaderboard show --tags no --json > board.json
      sparsebench leaderboard show --prices my-accelerator.toml
      sparsebench leaderboard show --tasks cube@1 --plot
    """
    from sparsebench.leaderboard import csv, document, markdown, terminal  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard.frozen import read_frozen  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    if frozen:
        _refuse_beside(frozen, "instances", "small", "seeds")
    _check_one_form(as_charts=as_charts, as_json=as_json)
    choice = Choice(
        instances=instances,
        small=small,
        frozen=read_frozen(frozen) if frozen else None,
        submissions=submissions,
        tags=tags == "yes",
        seeds=seeds,
        profile=profile,
        titled=form != "terminal" or as_json,
        prices=prices,
    )
    board = _board(output, tasks, choice)
    if as_json:
        click.echo(json.dumps(document(board), indent=1, allow_nan=False))
    elif as_charts:
        print_charts(board, by=by)
    elif form == "csv":
        click.echo(csv(board).points)
    elif form == "markdown":
        click.echo(markdown(board, by=by, sort=sort))
    else:
        click.echo(terminal(board, width=terminal_width(), by=by, sort=sort))


def _check_one_form(*, as_charts: bool, as_json: bool) -> None:
    formatted = click.get_current_context().get_parameter_source("form") is ParameterSource.COMMANDLINE
    told = {"--format": formatted, "--plot": as_charts, "--json": as_json}
    given = [name for name, asked in told.items() if asked]
    if len(given) > 1:
        raise UsageError(f"expected {' or '.join(given[:2])}, got both", help="leave one of them out")


@command.command("plot")
@_choosing
@_frozen_option
@drawing
@click.option(
    "--profile", type=OneOf(_PROFILES), default="ops", show_default=True, help="What prices a cell."
)
@output_option
def plot(
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    seeds: int,
    frozen: Path | None,
    profile: str,
    output: Path,
    *,
    small: bool,
    **drawn: Any,
) -> None:
    """Draw quality against active operations, for papers and READMEs.

    Lines are budget curves: the area under one in the task's box is the entry's score. They are at most
    eight: the entries that buy most at some budget, the dense reference, and the best routed entry, tree and
    table; or those of --submissions. Variants of the others are points. PNG and PDF need the extra `figures`.

    \b
    Examples:
      sparsebench leaderboard plot --into figures
      sparsebench leaderboard plot --tasks cube@1 --into cube.pdf --width 86mm
      sparsebench leaderboard plot --tasks cube@1 --by instance --into cube.png --width 7in
      sparsebench leaderboard plot --submissions my-router,dense-mlp --into figures --formats svg,png
    """
    from sparsebench.leaderboard.frozen import read_frozen  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    choice = Choice(instances=instances, small=small, seeds=seeds, profile=profile)
    if frozen:
        _refuse_beside(frozen, "instances", "small", "seeds")
        choice = replace(choice, frozen=read_frozen(frozen))
    for path in write_charts(lambda: _board(output, tasks, choice), **drawn):
        click.echo(path)


@command.command("build")
@_choosing
@_into_option(help="Directory for README.md, board.csv, points.csv and areas.csv.")
@output_option
def build(
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    seeds: int,
    into: Path,
    output: Path,
    *,
    small: bool,
) -> None:
    """Write the tables: Markdown between the markers of README.md, and CSV.

    Text outside the markers stays as it is. A board.toml (see `freeze`) fixes which instances and seeds the
    board has.

    board.svg shows the curves of all tasks, and each task has a picture of its own.

    \b
    Example:
      sparsebench leaderboard build --into leaderboard
    """
    from sparsebench.leaderboard import write_leaderboard  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.leaderboard.frozen import FILE_NAME, read_frozen  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    choice = Choice(instances=instances, small=small, seeds=seeds, titled=True)
    if (into / FILE_NAME).exists():
        _refuse_beside(into / FILE_NAME, "tasks", "instances", "small", "seeds")
        choice = replace(choice, frozen=read_frozen(into / FILE_NAME))
    board, said = _board_and_findings(output, tasks, choice)
    for path in write_leaderboard(board, into, said=said):
        click.echo(path)


@command.command("findings")
@_choosing
@_frozen_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@output_option
def findings(
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    seeds: int,
    frozen: Path | None,
    output: Path,
    *,
    small: bool,
    as_json: bool,
) -> None:
    """Say in a few sentences what the rows show, each with its figures and intervals.

    Dense and routed at equal quality, the router's part and what leaving it out changes, trees and tables
    beside experts, costs that depend on the input, what perfect routing would gain. `build` puts them between
    the markers sparsebench:findings of README.md.

    \b
    Examples:
      sparsebench leaderboard findings
      sparsebench leaderboard findings --frozen leaderboard/board.toml --output leaderboard/results
    """
    from sparsebench.leaderboard.findings import findings_markdown  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard.frozen import read_frozen  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    choice = Choice(instances=instances, small=small, seeds=seeds)
    if frozen:
        _refuse_beside(frozen, "instances", "small", "seeds")
        choice = replace(choice, frozen=read_frozen(frozen))
    _, said = _board_and_findings(output, tasks, choice)
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in said], indent=1))
    else:
        click.echo(findings_markdown(said))


def _board_and_findings(
    output: Path, tasks: tuple[str, ...], choice: Choice
) -> tuple[Board, tuple[Finding, ...]]:
    from sparsebench.leaderboard.findings import findings as found_on  # noqa: PLC0415 - `--help` is quick

    board, router_free = _boards(output, tasks, choice, replace(choice, profile="paper-router-free"))
    return board, found_on(board, router_free)


@command.command("freeze")
@_choosing
@_into_option(help="Directory of the board.")
@output_option
def freeze(
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    seeds: int,
    into: Path,
    output: Path,
    *,
    small: bool,
) -> None:
    """Write the instances and seeds of a published board into board.toml.

    From then on `build` scores every entry on these, whatever rows there are: rows of a new entry cannot
    change what other entries are scored on.

    \b
    Example:
      sparsebench leaderboard freeze --into leaderboard
    """
    from sparsebench.leaderboard import freeze_board  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    board = _board(output, tasks, Choice(instances=instances, small=small, seeds=seeds))
    click.echo(freeze_board(board, into))
    if board.preliminary:
        message = f"note: it is preliminary: {board.seeds} of {board.wanted_seeds} seeds have rows"
        click.echo(f"{message}; evaluate the others and freeze it anew before anybody relies on it", err=True)


def _refuse_beside(frozen: Path, *names: str) -> None:
    """Refuse options that a frozen board fixes: they would have no effect."""
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            message = f"{frozen} says what is on this board, expected no --{name}"
            raise UsageError(message, help="leave it out, or make another board in another folder")


def terminal_width() -> int | None:
    """Return the width of tables: None without a terminal, so a file or a pipe gets every column."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _board(output: Path, tasks: tuple[str, ...], choice: Choice) -> Board:
    """Build the board of the requested tasks, or else of all that have rows."""
    (board,) = _boards(output, tasks, choice)
    return board


def _boards(output: Path, tasks: tuple[str, ...], choice: Choice, *others: Choice) -> list[Board]:
    """Build boards of the same rows, which are read once, and of the same tasks."""
    from sparsebench.leaderboard.standard import board_of, tasks_of  # noqa: PLC0415 - keeps `--help` quick

    rows = runs(output, "--output")  # all of them: a board notes where runs of a cell disagree
    stored = sorted({row.task for row in rows})
    wanted = tasks_of(rows, tasks, choice)
    if not {ref for task in wanted for ref in task.versions} & set(stored):
        message = f"{output}: no rows of {', '.join(task.ref for task in wanted)}"
        raise NotFoundError(message, help=f"there are rows of: {', '.join(stored)}")
    return [board_of(rows, wanted, each) for each in (choice, *others)]
