"""The report that ``sparsebench eval`` prints at the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.evaluate.run import Run
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Row

__all__ = ["report"]

_WEAK = {
    "none": "warning: nothing held the submissions' processes: sandbox none",
    "files": "warning: rows of an earlier harness, which held files alone: sandbox files",
    "restricted": "note: submissions ran without namespaces of their own: sandbox restricted",
}
"""What is said of rows by what held their processes."""

_WARNINGS = ("none", "files")
_TRIED = "Settings from the command line are for trying: such rows are never on a board."


def report(run: Run, rows: list[Row], prices: PriceList | None, *, as_json: bool, quiet: bool) -> None:
    """Print the rows or the tables on standard output, and remarks on standard error.

    Parameters
    ----------
    run
        The run.
    rows
        All its rows, in order.
    prices
        A price list to show as one more column.
    as_json
        Print the rows as JSON.
    quiet
        Print only errors and warnings as remarks.
    """
    if as_json:
        from sparsebench.results.priced import with_price  # noqa: PLC0415 - keeps `--help` quick

        click.echo(json.dumps([with_price(row, prices) for row in rows], indent=1, allow_nan=False))
    else:
        _print_table(run, rows, prices)
    for row in rows:
        if row.status != "ok":
            click.echo(f"{row.status}: {row.identity.label}: {row.reason}", err=True)
    weak = sorted({row.sandbox for row in rows} - {"isolated"})
    for level in weak:
        if not quiet or level in _WARNINGS:
            click.echo(f"{_WEAK[level]}; `sparsebench doctor` says what would raise it", err=True)
    if run.limits.traces:
        _print_lacking(run.limits.traces, rows)
    if not quiet:
        click.echo(f"rows: {run.store}", err=True)


def _print_table(run: Run, rows: list[Row], prices: PriceList | None) -> None:
    from sparsebench.results.adhoc import is_ad_hoc  # noqa: PLC0415 - keeps `--help` quick

    if any(is_ad_hoc(row.variant) for row in rows):  # then all are: settings apply to every cell of a run
        from sparsebench.cli.results_show import table_of  # noqa: PLC0415

        click.echo(table_of(rows, prices))
        click.echo(f"\n{_TRIED}")
        return
    from sparsebench.cli.boards import terminal_width  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard import terminal  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice, board_of, tasks_of  # noqa: PLC0415

    choice = Choice(prices=prices)
    board = board_of(rows, tasks_of(rows, run.chosen, choice), choice)
    click.echo(terminal(board, width=terminal_width()))


def _print_lacking(store: Path, rows: list[Row]) -> None:
    """Print which rows have no trace: they were finished before, or their model is too large for one."""
    from sparsebench.evaluate.replay.tracing import trace_path  # noqa: PLC0415

    lacking = [row for row in rows if row.status == "ok" and not trace_path(store, row.cell_key).exists()]
    for row in lacking:
        click.echo(f"no trace: {row.identity.label}", err=True)
    if lacking:
        mend = (
            "without --resume a finished cell runs again; what is too large for a trace, docs/traces.md says"
        )
        click.echo(f"{len(lacking)} rows have no trace: {mend}", err=True)
