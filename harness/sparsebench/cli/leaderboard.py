"""``sparsebench leaderboard``."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sparsebench.cli.boards import (
    board_of_store,
    boards_of_store,
    choosing,
    fixed_by,
    frozen_option,
    profile_option,
    publication_of_store,
    terminal_width,
)
from sparsebench.cli.kinds import OneOf, PathTo
from sparsebench.cli.leaderboard_compare import compare
from sparsebench.cli.leaderboard_plot import drawing, print_charts, write_charts
from sparsebench.cli.mistakes import Verbs
from sparsebench.cli.options import Names, output_option
from sparsebench.cli.prices import prices_option
from sparsebench.errors import UsageError

if TYPE_CHECKING:
    from sparsebench.leaderboard import Board
    from sparsebench.leaderboard.findings import Finding
    from sparsebench.leaderboard.standard import Choice
    from sparsebench.meter.pricelist import PriceList

__all__ = ["command"]

_SORTS = ("score", "name", "x.5", "x.7", "x.9", "router", "p95", "failed")


@click.group("leaderboard", cls=Verbs)
def command() -> None:
    """Show the board of stored rows, or publish it.

    \b
    Example:
      sparsebench leaderboard show
    """


command.add_command(compare)


_into_option = functools.partial(
    click.option,
    "--into",
    type=PathTo(path_type=Path, file_okay=False),
    default=Path("leaderboard"),
    show_default=True,
)


@command.command("show")
@choosing
@frozen_option
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
@profile_option
@click.option(
    "--format",
    "form",
    type=OneOf(["terminal", "markdown", "latex", "csv"]),
    default="terminal",
    show_default=True,
    help="latex prints the scores, csv the points.",
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
      sparsebench leaderboard show --format latex > board.tex
      sparsebench leaderboard show --profile paper-router-free
      sparsebench leaderboard show --tags no --json > board.json
      sparsebench leaderboard show --prices my-accelerator.toml
      sparsebench leaderboard show --tasks cube@1 --plot
    """
    from sparsebench.leaderboard import csv, document, markdown, terminal  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard.latex import latex  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    _check_one_form(as_charts=as_charts, as_json=as_json)
    if form == "latex" and by == "instance":
        raise UsageError("expected --by task with --format latex, got instance", help="markdown has areas")
    choice = Choice(
        instances=instances,
        small=small,
        submissions=submissions,
        tags=tags == "yes",
        seeds=seeds,
        profile=profile,
        titled=form != "terminal" or as_json,
        prices=prices,
    )
    board = board_of_store(output, tasks, fixed_by(frozen, choice))
    if as_json:
        click.echo(json.dumps(document(board), indent=1, allow_nan=False))
    elif as_charts:
        print_charts(board, by=by)
    elif form == "csv":
        click.echo(csv(board).points)
    elif form == "latex":
        click.echo(latex(board, sort=sort))
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
@choosing
@frozen_option
@drawing
@profile_option
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
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    choice = Choice(instances=instances, small=small, seeds=seeds, profile=profile)
    choice = fixed_by(frozen, choice)
    for path in write_charts(lambda: board_of_store(output, tasks, choice), **drawn):
        click.echo(path)


@command.command("build")
@choosing
@_into_option(help="Directory for README.md, board.tex, the sheets as CSV, and index.html.")
@click.option(
    "--parquet",
    "with_parquet",
    is_flag=True,
    help="Also write the three sheets as Parquet. If they are there, every build writes them.",
)
@output_option
def build(
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    seeds: int,
    into: Path,
    output: Path,
    *,
    small: bool,
    with_parquet: bool,
) -> None:
    """Write the tables: Markdown between the markers of README.md, LaTeX, and CSV; and the page, index.html.

    Text outside the markers stays as it is. The page is one file that asks nobody for anything: charts,
    tables, and what the rows tell of every entry. A board.toml (see `freeze`) fixes which instances and
    seeds the board has.

    board.svg shows the curves of all tasks, and each task has a picture of its own.

    \b
    Examples:
      sparsebench leaderboard build --into leaderboard
      sparsebench leaderboard build --into my-board --parquet
    """
    from sparsebench.leaderboard import write_leaderboard  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.leaderboard.frozen import FILE_NAME  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    choice = Choice(instances=instances, small=small, seeds=seeds, titled=True)
    if (into / FILE_NAME).exists():
        choice = fixed_by(into / FILE_NAME, choice, "tasks")
    made = publication_of_store(output, tasks, choice)
    for path in write_leaderboard(
        made.board, into, said=made.findings, page=made.page, with_parquet=with_parquet
    ):
        click.echo(path)


@command.command("findings")
@choosing
@frozen_option
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
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    choice = Choice(instances=instances, small=small, seeds=seeds)
    choice = fixed_by(frozen, choice)
    _, said = _board_and_findings(output, tasks, choice)
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in said], indent=1))
    else:
        click.echo(findings_markdown(said))


def _board_and_findings(
    output: Path, tasks: tuple[str, ...], choice: Choice
) -> tuple[Board, tuple[Finding, ...]]:
    from sparsebench.leaderboard.findings import findings as found_on  # noqa: PLC0415 - `--help` is quick

    board, router_free = boards_of_store(output, tasks, choice, replace(choice, profile="paper-router-free"))
    return board, found_on(board, router_free)


@command.command("freeze")
@choosing
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

    board = board_of_store(output, tasks, Choice(instances=instances, small=small, seeds=seeds))
    click.echo(freeze_board(board, into))
    if board.preliminary:
        message = f"note: it is preliminary: {board.seeds} of {board.wanted_seeds} seeds have rows"
        click.echo(f"{message}; evaluate the others and freeze it anew before anybody relies on it", err=True)
