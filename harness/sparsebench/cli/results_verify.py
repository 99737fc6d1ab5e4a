"""``sparsebench results verify``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.kinds import PathTo
from sparsebench.cli.options import output_option
from sparsebench.cli.stored import KEY, runs, stored_rows
from sparsebench.errors import IntegrityError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sparsebench.results import Audit

__all__ = ["verify"]

_MARKS = {
    "pass": click.style("pass", fg="green"),
    "fail": click.style("FAIL", fg="red", bold=True),
    "not-run": click.style("not run", fg="yellow"),
}
_BY_ITSELF = ": neither a trace nor a rerun was checked"


@click.command("verify")
@click.argument("row")
@click.option("--replay", is_flag=True, help="Replay its trace as well, without the submission's code.")
@click.option(
    "--rerun",
    type=PathTo(path_type=Path, file_okay=False),
    help="Compare it also with another run of its cell, in this directory, which `sparsebench eval` wrote.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as a JSON list.")
@output_option
def verify(row: str, output: Path, *, replay: bool, rerun: Path | None, as_json: bool) -> None:
    """Check that a stored row holds.

    ROW is the beginning of a cell key, at least 6 digits (`sparsebench results show` prints them), or `all`.
    Without options, a row is checked against its own rules, the task and the submission at hand, its raw
    counts, and the audits on which its score depends. It is then consistent; anybody who writes a row can
    make it so. With --replay, the submission's requests are made again: the predictions and the counts of the
    inputs that were run one by one must be the same. That requires a trace: `sparsebench eval --traces`. With
    --rerun, the row is compared with another run of its cell: counts to the last digit, error and quality to
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

    reruns = None if rerun is None else runs(rerun, "--rerun")
    reports: list[dict[str, Any]] = []
    missing: list[NotFoundError] = []
    for found in find_rows(stored_rows(output), row):
        checks: list[Audit] = []
        trace = trace_path(output, found.cell_key) if replay else None
        if not as_json:
            click.echo(f"{found.cell_key[:KEY]} {found.identity.label}")
        try:
            _take(verify_row(found, trace, reruns), checks, silent=as_json)
        except NotFoundError as error:  # the other rows have one
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
    """Collect checks, and print each as soon as it is made: some take minutes."""
    for check in made:
        checks.append(check)
        if not silent:
            click.echo(f"  {_MARKS[check.verdict]} {check.name}: {check.detail}")


def _conclude(reports: list[dict[str, Any]], missing: list[NotFoundError]) -> None:
    """End with an error if a row does not hold, or else if one has no trace or no rerun."""
    failed = [report for report in reports if any(check["verdict"] == "fail" for check in report["checks"])]
    if failed:
        message = f"{len(failed)} of {len(reports)} rows do not hold: {failed[0]['cell_key'][:KEY]}..."
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
