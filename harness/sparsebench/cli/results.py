"""``sparsebench results``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.options import Names, output_option
from sparsebench.cli.prices import prices_option
from sparsebench.errors import IntegrityError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Audit, Row

__all__ = ["command", "stored_rows"]

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


_KEY = 12  # digits of a cell key that are shown: enough for `verify`
_MARKS = {
    "pass": click.style("pass", fg="green"),
    "fail": click.style("FAIL", fg="red", bold=True),
    "not-run": click.style("not run", fg="yellow"),
}
_BY_ITSELF = ": neither a trace nor a rerun was checked"


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
@prices_option
@click.option("--json", "as_json", is_flag=True, help="Print all columns as a JSON list.")
@output_option
def show(
    submissions: tuple[str, ...],
    tasks: tuple[str, ...],
    prices: PriceList | None,
    output: Path,
    *,
    as_json: bool,
) -> None:
    """Print the newest row of every cell.

    \b
    Examples:
      sparsebench results show
      sparsebench results show --tasks memorization@1 --json
      sparsebench results show --prices my-accelerator.toml
    """
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    from sparsebench.results.priced import price_footnote, with_price  # noqa: PLC0415

    found = stored_rows(output)
    _check_names("submission", submissions, {row.submission for row in found})
    _check_names("task", tasks, {row.task for row in found})
    rows = [
        row
        for row in found
        if (not submissions or row.submission in submissions) and (not tasks or row.task in tasks)
    ]
    if as_json:
        click.echo(json.dumps([with_price(row, prices) for row in rows], indent=1, allow_nan=False))
        return
    columns = _columns(prices)
    shown = (with_price(row, prices) for row in rows)
    lines = [
        [_cell(values[name][:_KEY] if name == "cell_key" else values[name]) for name in columns]
        for values in shown
    ]
    # A key of digits, or like 12e45678, is text.
    click.echo(tabulate(lines, headers=columns, disable_numparse=[0]))
    if prices:
        click.echo(f"\n{price_footnote(prices.name)}")


def _columns(prices: PriceList | None) -> tuple[str, ...]:
    """Name the columns: a price list's comes beside ``ops``."""
    if prices is None or prices.name in _COLUMNS:
        return _COLUMNS
    beside = _COLUMNS.index("ops") + 1
    return (*_COLUMNS[:beside], prices.name, *_COLUMNS[beside:])


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


@command.command("verify")
@click.argument("row")
@click.option("--replay", is_flag=True, help="Run its trace again as well, without the submission's code.")
@click.option(
    "--rerun",
    type=click.Path(path_type=Path, file_okay=False),
    help="Compare it with another run of its cell as well: a directory that `sparsebench eval` wrote.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as a JSON list.")
@output_option
def verify(row: str, output: Path, *, replay: bool, rerun: Path | None, as_json: bool) -> None:
    """Check that a stored row holds.

    ROW is the beginning of a cell key, at least 6 digits (`sparsebench results show` prints them), or
    `all`. By itself a row is held to its own rules, to the task and the submission at hand, to its raw
    counts, and to the audits that its score rests on: it is consistent, and whoever writes a row can make it
    so. With --replay, what the submission asked for is asked again: the predictions and the counts of the
    inputs that were run one by one must come out the same. That takes a trace: `sparsebench eval --traces`.
    With --rerun, the row is held to another run of its cell: counts to the last digit, error and quality to
    a relative 1e-9.

    \b
    Examples:
      sparsebench results verify 3f9a2c
      sparsebench results verify all --replay
      sparsebench results verify all --rerun my-own-results

    Exit code: 0 no check fails; 2 there is no such row, or no trace or rerun of it; 4 some check fails.
    """
    from sparsebench.evaluate.replay.tracing import trace_path  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.evaluate.replay.verify import find_rows, standing, verify_row  # noqa: PLC0415

    reruns = None if rerun is None else _runs(rerun)
    reports: list[dict[str, Any]] = []
    missing: list[NotFoundError] = []
    for found in find_rows(stored_rows(output), row):
        checks: list[Audit] = []
        trace = trace_path(output, found.cell_key) if replay else None
        if not as_json:
            place = f"{found.submission}/{found.variant} on {found.task}/{found.instance}, seed {found.seed}"
            click.echo(f"{found.cell_key[:_KEY]} {place}")
        try:
            _take(verify_row(found, trace, reruns), checks, silent=as_json)
        except NotFoundError as error:  # the other rows have theirs
            missing.append(error)
        told = standing(checks)
        if not as_json:
            click.echo(f"  {told}{_BY_ITSELF if told == 'consistent by itself' else ''}")
        report = {"cell_key": found.cell_key, "standing": told}
        reports.append({**report, "checks": [asdict(check) for check in checks]})
    if as_json:
        click.echo(json.dumps(reports, indent=1))
    _conclude(reports, missing)


def _take(made: Iterable[Audit], checks: list[Audit], *, silent: bool) -> None:
    """Keep checks, and print each as soon as it is made: some take minutes."""
    for check in made:
        checks.append(check)
        if not silent:
            click.echo(f"  {_MARKS[check.verdict]} {check.name}: {check.detail}")


def _conclude(reports: list[dict[str, Any]], missing: list[NotFoundError]) -> None:
    """End with an error if a row does not hold, or else if one has no trace or no rerun."""
    failed = [report for report in reports if any(check["verdict"] == "fail" for check in report["checks"])]
    if failed:
        message = f"{len(failed)} of {len(reports)} rows do not hold: {failed[0]['cell_key'][:12]}..."
        raise IntegrityError(
            message,
            help="the lines marked FAIL say what; docs/traces.md and docs/trust.md say what it means",
        )
    if missing:
        several = (
            f"{len(missing)} of {len(reports)} rows lack what they were to be held to, the first: "
            if len(reports) > 1
            else ""
        )
        raise NotFoundError(f"{several}{missing[0].what}", help=missing[0].help)


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
        raise _no_rows(output, "--output")
    return rows


def _runs(directory: Path) -> list[Row]:
    """Read all rows of a store: several runs of a cell, too."""
    from sparsebench.results import ResultStore  # noqa: PLC0415 - keeps `--help` quick

    store = ResultStore(directory)
    rows = store.rows() if store.exists() else []
    if not rows:
        raise _no_rows(directory, "--rerun")
    return rows


def _no_rows(directory: Path, option: str) -> NotFoundError:
    return NotFoundError(
        f"{directory}: no rows there", help=f"`sparsebench eval SUBMISSION` makes some; or give {option}"
    )
