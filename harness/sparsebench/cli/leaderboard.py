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
    from collections.abc import Iterator, Mapping, Sequence

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

    These are the chosen ones; else, of each task, those that it names for the board, or the small ones of
    them where there are rows of no other. Titled, the board has the titles of shipped submissions beside
    their names. A price list makes one more column, and changes nothing else.
    """
    from sparsebench.leaderboard import build_board  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.models import find_submission, shipped_names  # noqa: PLC0415

    present = {task.ref: {row.instance for row in rows if row.task == task.ref} for task in tasks}
    scored = {task.ref: (chosen or {}).get(task.ref) or _usual(task, present[task.ref]) for task in tasks}
    names = shipped_names() if titled else []
    titles = {name: find_submission(name).manifest.title for name in names}
    board = build_board(rows, tasks, titles=titles, instances=scored, prices=prices)
    parts = [note for task in tasks for note in _parts(task, scored[task.ref], present[task.ref])]
    public = [note for task in tasks for note in _public_tests(task, scored[task.ref] & present[task.ref])]
    return replace(board, notes=(*parts, *board.notes, *public))


def _public_tests(task: Task, names: set[str]) -> Iterator[str]:
    """Name the instances whose answers a submission can ship, because nobody can draw new inputs of them.

    Memorization has none of these: there the test split is the task.
    """
    known = {name: task.instances[name] for name in names if name in task.instances}
    public = sorted(name for name, spec in known.items() if spec.public_test)
    if public and task.metric != "recall":
        yield f"{task.ref}: public tests, whose answers a submission can ship: {', '.join(public)}"


def _usual(task: Task, present: set[str]) -> set[str]:
    small = {name for name in _board_of(task) if task.instances[name].small}
    shown = present & _board_of(task)
    return small if shown and shown <= small else _board_of(task)


def _board_of(task: Task) -> set[str]:
    """Name the instances that the board is scored on: all, for a task that names none."""
    return set(task.board or task.instances)


def _parts(task: Task, scored: set[str], present: set[str]) -> Iterator[str]:
    """Say which instances a task is scored on, where it is not on exactly those of the board."""
    board = _board_of(task)
    if scored != board:
        names = ", ".join(sorted(scored))
        others = f" and {len(scored - board)} more" if scored - board else ""
        yield f"{task.ref}: on {len(scored & board)} of the board's {len(board)} instances{others} ({names})"
    if left := sorted(present - scored - board):
        names = ", ".join(left)
        yield f"{task.ref}: rows of instances that the board is not scored on are left out ({names})"
