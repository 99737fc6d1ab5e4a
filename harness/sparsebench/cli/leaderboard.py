"""``sparsebench leaderboard``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparsebench.cli.options import Names, output_option
from sparsebench.cli.prices import prices_option
from sparsebench.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparsebench.leaderboard import Board
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Row
    from sparsebench.tasks import Task

__all__ = ["board_of", "command"]


@click.group("leaderboard")
def command() -> None:
    """Show the board of stored rows, or publish it.

    \b
    Example:
      sparsebench leaderboard show
    """


@command.command("show")
@click.option("--tasks", type=Names(), default="", help="Only these tasks.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "markdown", "csv"]),
    default="terminal",
    show_default=True,
    help="csv prints the points.",
)
@prices_option
@click.option("--json", "as_json", is_flag=True, help="Print the points as a JSON list.")
@output_option
def show(tasks: tuple[str, ...], form: str, prices: PriceList | None, output: Path, *, as_json: bool) -> None:
    """Print the board.

    \b
    Examples:
      sparsebench leaderboard show
      sparsebench leaderboard show --tasks memorization@1 --format markdown
      sparsebench leaderboard show --prices my-accelerator.toml
    """
    from sparsebench.leaderboard import csv, markdown, points, terminal  # noqa: PLC0415 - keeps `--help` quick

    board = _board(output, tasks, titled=form != "terminal", prices=prices)
    if as_json:
        click.echo(json.dumps(points(board), indent=1, allow_nan=False))
        return
    click.echo(
        csv(board).points if form == "csv" else {"terminal": terminal, "markdown": markdown}[form](board)
    )


@command.command("build")
@click.option("--tasks", type=Names(), default="", help="Only these tasks.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("leaderboard"),
    show_default=True,
    help="Directory for README.md, board.csv and points.csv.",
)
@output_option
def build(tasks: tuple[str, ...], into: Path, output: Path) -> None:
    """Write the tables: Markdown between the markers of README.md, and CSV.

    What stands outside the markers stays as it is.

    \b
    Example:
      sparsebench leaderboard build --into leaderboard
    """
    from sparsebench.leaderboard import write_leaderboard  # noqa: PLC0415 - keeps `--help` quick

    for path in write_leaderboard(_board(output, tasks, titled=True), into):
        click.echo(path)


def _board(output: Path, tasks: tuple[str, ...], *, titled: bool, prices: PriceList | None = None) -> Board:
    """Build the board of the tasks that are asked for, else of all that have rows."""
    from sparsebench.cli.results import stored_rows  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.tasks import load_task  # noqa: PLC0415

    rows = stored_rows(output)
    stored = sorted({row.task for row in rows})
    wanted = [load_task(ref) for ref in tasks or stored]
    if not {task.ref for task in wanted} & set(stored):
        message = f"{output}: no rows of {', '.join(task.ref for task in wanted)}"
        raise NotFoundError(message, help=f"there are rows of: {', '.join(stored)}")
    return board_of(rows, wanted, titled=titled, prices=prices)


def board_of(
    rows: Sequence[Row],
    tasks: Sequence[Task],
    chosen: Mapping[str, set[str]] | None = None,
    *,
    titled: bool = False,
    prices: PriceList | None = None,
) -> Board:
    """Build a board on which all entries are scored on the same instances.

    These are the chosen ones; else, of each task, the small ones where there are rows of no other, else
    all. Titled, the board has the titles of shipped submissions beside their names. A price list makes one
    more column, and changes nothing else.
    """
    from sparsebench.leaderboard import build_board  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.models import find_submission, shipped_names  # noqa: PLC0415

    scored = {}
    for task in tasks:
        present = {row.instance for row in rows if row.task == task.ref}
        small = {name for name, spec in task.instances.items() if spec.small}
        usual = small if present <= small else set(task.instances)
        scored[task.ref] = (chosen or {}).get(task.ref) or usual
    names = shipped_names() if titled else []
    titles = {name: find_submission(name).manifest.title for name in names}
    board = build_board(rows, tasks, titles=titles, instances=scored, prices=prices)
    parts = [_part(task, scored[task.ref]) for task in tasks if len(scored[task.ref]) < len(task.instances)]
    return replace(board, notes=(*parts, *board.notes))


def _part(task: Task, scored: set[str]) -> str:
    names = ", ".join(sorted(scored))
    return f"{task.ref}: on {len(scored)} of its {len(task.instances)} instances ({names})"
