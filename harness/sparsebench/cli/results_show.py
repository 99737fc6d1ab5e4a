"""``sparsebench results show``: a table of rows, or all columns of one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.options import Names, output_option
from sparsebench.cli.prices import prices_option
from sparsebench.cli.stored import KEY, stored_rows
from sparsebench.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Row

__all__ = ["show", "table_of"]

_COLUMNS = (
    "cell_key",
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
_LONGEST = 1000  # shown characters of a text


@click.command("show")
@click.argument("key", required=False)
@click.option("--submissions", type=Names(), default="", help="Only these submissions.")
@click.option("--tasks", type=Names(), default="", help="Only these tasks.")
@prices_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print all columns as a JSON list; with KEY, an object."
)
@output_option
def show(
    key: str | None,
    submissions: tuple[str, ...],
    tasks: tuple[str, ...],
    prices: PriceList | None,
    output: Path,
    *,
    as_json: bool,
) -> None:
    """Print the newest row of every cell, or all columns of one.

    KEY is the beginning of a cell key, at least 6 digits: the first column of the table.

    \b
    Examples:
      sparsebench results show
      sparsebench results show 3f9a2c
      sparsebench results show --tasks memorization@1 --json
      sparsebench results show --prices my-accelerator.toml
    """
    found = stored_rows(output)
    if key is not None:
        _show_one(found, key, prices, as_json=as_json)
        return
    _check_names("submission", submissions, {row.submission for row in found})
    _check_names("task", tasks, {row.task for row in found})
    rows = [
        row
        for row in found
        if (not submissions or row.submission in submissions) and (not tasks or row.task in tasks)
    ]
    _show_all(rows, prices, as_json=as_json)


def _show_all(rows: list[Row], prices: PriceList | None, *, as_json: bool) -> None:
    from sparsebench.results.priced import with_price  # noqa: PLC0415 - keeps `--help` quick

    if as_json:
        click.echo(json.dumps([with_price(row, prices) for row in rows], indent=1, allow_nan=False))
    else:
        click.echo(table_of(rows, prices))


def table_of(rows: list[Row], prices: PriceList | None) -> str:
    """Return a table with a line per row, and the footnote of a price list's column."""
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    from sparsebench.results.priced import price_footnote, with_price  # noqa: PLC0415

    columns = _columns(prices)
    lines = [
        [_cell(values[name][:KEY] if name == "cell_key" else values[name]) for name in columns]
        for values in (with_price(row, prices) for row in rows)
    ]
    # A key of digits, or like 12e45678, is text.
    table = tabulate(lines, headers=columns, disable_numparse=[0])
    return f"{table}\n\n{price_footnote(prices.name)}" if prices else table


def _show_one(rows: list[Row], key: str, prices: PriceList | None, *, as_json: bool) -> None:
    from sparsebench.evaluate.replay.verify import find_rows  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.results.priced import price_footnote, with_price  # noqa: PLC0415

    if key == "all":  # what `verify` takes
        raise UsageError(
            "expected the beginning of a cell key, got 'all'", help="without KEY all rows are shown"
        )
    (row,) = find_rows(rows, key)
    values = with_price(row, prices)
    if as_json:
        click.echo(json.dumps(values, indent=1, allow_nan=False))
        return
    for line in _sheet(values):
        click.echo(line)
    if prices:
        click.echo(f"\n{price_footnote(prices.name)}")


def _sheet(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line per column, its name first; a column of records has a line for each of them."""
    wide = max(map(len, values))
    for name, value in values.items():
        lines = [_record(part) for part in value] if isinstance(value, list) else [_said(value)]
        for number, line in enumerate(lines or ["none"]):
            yield f"{'' if number else name:<{wide}}  {line}"


def _record(part: Mapping[str, Any]) -> str:
    """Return a record as a line; its key comes without field names, which would only be repeated."""
    return "  ".join(
        _said(value) if isinstance(value, str) else f"{name} {_said(value)}"
        for name, value in part.items()
        if value != ""
    )


def _said(value: Any) -> str:
    """Return a value as a whole text: all digits of a number, and nothing that a terminal obeys."""
    from sparsebench.leaderboard.escape import for_terminal  # noqa: PLC0415 - keeps `--help` quick

    if isinstance(value, dict):
        return ", ".join(f"{_said(name)} {_said(told)}" for name, told in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else for_terminal(str(value), _LONGEST)


def _columns(prices: PriceList | None) -> tuple[str, ...]:
    """Return the names of the columns: that of a price list comes after ``ops``."""
    if prices is None or prices.name in _COLUMNS:
        return _COLUMNS
    beside = _COLUMNS.index("ops") + 1
    return (*_COLUMNS[:beside], prices.name, *_COLUMNS[beside:])


def _check_names(what: str, names: tuple[str, ...], stored: set[str]) -> None:
    for name in names:
        if name not in stored:
            there = ", ".join(sorted(stored))
            raise NotFoundError(f"no row is of a {what} called {name!r}", help=f"there are rows of: {there}")


def _cell(value: Any) -> Any:
    from sparsebench.leaderboard.escape import for_terminal  # noqa: PLC0415 - keeps `--help` quick

    if value is None:
        return "-"
    return (
        f"{value:.6g}"
        if isinstance(value, float)
        else for_terminal(value)
        if isinstance(value, str)
        else value
    )
