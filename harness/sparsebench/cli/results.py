"""``sparsebench results``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.options import Names, output_option
from sparsebench.errors import NotFoundError

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.results import Row

__all__ = ["command", "stored_rows"]

_COLUMNS = (
    "submission",
    "variant",
    "task",
    "instance",
    "seed",
    "status",
    "ops",
    "ops_router_free",
    "quality",
    "error",
)


@click.group("results")
def command() -> None:
    """Look at stored rows.

    \b
    Example:
      sparsebench results show --submissions lsh-constant
    """


@command.command("show")
@click.option("--submissions", type=Names(), default="", help="Only these submissions.")
@click.option("--tasks", type=Names(), default="", help="Only these tasks.")
@click.option("--json", "as_json", is_flag=True, help="Print all columns as a JSON list.")
@output_option
def show(submissions: tuple[str, ...], tasks: tuple[str, ...], output: Path, *, as_json: bool) -> None:
    """Print the newest row of every cell.

    \b
    Examples:
      sparsebench results show
      sparsebench results show --tasks memorization@1 --json
    """
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    found = stored_rows(output)
    _check_names("submission", submissions, {row.submission for row in found})
    _check_names("task", tasks, {row.task for row in found})
    rows = [
        row
        for row in found
        if (not submissions or row.submission in submissions) and (not tasks or row.task in tasks)
    ]
    if as_json:
        click.echo(json.dumps([row.to_json_dict() for row in rows], indent=1, allow_nan=False))
        return
    click.echo(tabulate([[_cell(getattr(row, name)) for name in _COLUMNS] for row in rows], headers=_COLUMNS))


def _check_names(what: str, names: tuple[str, ...], stored: set[str]) -> None:
    for name in names:
        if name not in stored:
            there = ", ".join(sorted(stored))
            raise NotFoundError(f"no row is of a {what} called {name!r}", help=f"there are rows of: {there}")


@command.command("compact")
@output_option
def compact(output: Path) -> None:
    """Put the rows of many files into one, which reads faster. No row is lost.

    \b
    Example:
      sparsebench results compact
    """
    from sparsebench.results import ResultStore  # noqa: PLC0415 - keeps `--help` quick

    stored_rows(output)
    click.echo(ResultStore(output).compact() or "nothing to do: there is one file")


def _cell(value: Any) -> Any:
    return "-" if value is None else f"{value:.6g}" if isinstance(value, float) else value


def stored_rows(output: Path) -> list[Row]:
    """Read the newest row of every cell.

    Raises
    ------
    NotFoundError
        If there is no store, or nothing in it.
    """
    from sparsebench.results import ResultStore  # noqa: PLC0415 - keeps `--help` quick

    store = ResultStore(output)
    rows = store.latest() if store.exists() else []
    if not rows:
        raise NotFoundError(
            f"{output}: no rows there", help="`sparsebench eval SUBMISSION` makes some; or give --output"
        )
    return rows
