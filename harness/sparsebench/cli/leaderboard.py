"""``sparsebench leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparsebench.cli.options import Names, output_option
from sparsebench.errors import NotFoundError

if TYPE_CHECKING:
    from sparsebench.leaderboard import Board

__all__ = ["command"]


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
@output_option
def show(tasks: tuple[str, ...], form: str, output: Path) -> None:
    """Print the board.

    \b
    Examples:
      sparsebench leaderboard show
      sparsebench leaderboard show --tasks memorization@1 --format markdown
    """
    from sparsebench.leaderboard import csv, markdown, terminal  # noqa: PLC0415 - keeps `--help` quick

    board = _board(output, tasks)
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

    for path in write_leaderboard(_board(output, tasks), into):
        click.echo(path)


def _board(output: Path, tasks: tuple[str, ...]) -> Board:
    """Build the board of the tasks that are asked for, else of all that have rows."""
    from sparsebench.cli.results import stored_rows  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.leaderboard import build_board  # noqa: PLC0415
    from sparsebench.tasks import load_task  # noqa: PLC0415

    rows = stored_rows(output)
    stored = sorted({row.task for row in rows})
    wanted = [load_task(ref) for ref in tasks or stored]
    if not {task.ref for task in wanted} & set(stored):
        message = f"{output}: no rows of {', '.join(task.ref for task in wanted)}"
        raise NotFoundError(message, help=f"there are rows of: {', '.join(stored)}")
    return build_board(rows, wanted)
