"""``sparsebench reproduce``."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparsebench.cli.kinds import PathTo
from sparsebench.cli.options import output_option

if TYPE_CHECKING:
    from sparsebench.studies.records import Outcome, Study
    from sparsebench.studies.running import Run

__all__ = ["command"]


@click.command("reproduce")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--all", "everything", is_flag=True, help="All studies.")
@click.option("--list", "listed", is_flag=True, help="Name the studies, and stop.")
@click.option("--quick", is_flag=True, help="Small sizes: for a look, not for a verdict to quote.")
@click.option("--fresh", is_flag=True, help="Take over nothing from earlier runs.")
@click.option(
    "--into",
    type=PathTo(path_type=Path, file_okay=False),
    default="reproductions",
    show_default=True,
    help="Folder for the pages, tables and pictures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the claims with verdicts as JSON.")
@output_option
def command(
    names: tuple[str, ...],
    into: Path,
    output: Path,
    *,
    everything: bool,
    listed: bool,
    quick: bool,
    fresh: bool,
    as_json: bool,
) -> None:
    """Derive claims of papers anew, each with a verdict.

    NAME is a study. Each writes a page with its claims, what was measured and a verdict, its tables as CSV
    and a picture; --all writes a page that lists all claims, too. A run that was stopped goes on where it
    was. A claim that does not hold is a result: the exit code is 0. Some studies read stored rows, from
    --output; without rows --all leaves them out.

    \b
    Examples:
      sparsebench reproduce --list
      sparsebench reproduce overlap k-tanh
      sparsebench reproduce --all --quick --into /tmp/reproductions
      sparsebench reproduce honest-price --output leaderboard/results
      sparsebench reproduce polynomial --json
    """
    from sparsebench.errors import UsageError  # noqa: PLC0415 - `--help` is quick
    from sparsebench.studies import STUDIES, find_study  # noqa: PLC0415
    from sparsebench.studies.running import Run  # noqa: PLC0415

    if listed:
        for name in STUDIES:
            click.echo(f"{name:<14} {find_study(name).title}")
        return
    if everything == bool(names):
        got = "both" if names else "neither"
        raise UsageError(
            f"expected names of studies or --all, got {got}", help=f"there are {', '.join(STUDIES)}"
        )
    chosen = list(STUDIES) if everything else list(dict.fromkeys(names))
    for name in chosen:
        find_study(name)  # a wrong name is told before anything runs
    if everything and not any(output.glob("rows/*")):
        without = [name for name in chosen if find_study(name).needs_rows]
        click.echo(f"left out, for there are no rows in {output}: {', '.join(without)}", err=True)
        chosen = [name for name in chosen if name not in without]
    found = _run(chosen, Run(quick=quick, fresh=fresh, store=output))
    _write(found, into, quick=quick, as_json=as_json)


def _run(names: list[str], run: Run) -> dict[Study, Outcome]:
    found = {}
    for place, name in enumerate(names, start=1):
        at = f"[{place}/{len(names)}] {name}"
        click.echo(at, err=True)
        study, outcome = run.measure(name, partial(_tell, at))
        found[study] = outcome
    return found


def _tell(at: str, step: str) -> None:
    click.echo(f"{at}: {step}", err=True)


def _write(found: dict[Study, Outcome], into: Path, *, quick: bool, as_json: bool) -> None:
    from sparsebench.studies.pages import document_of  # noqa: PLC0415
    from sparsebench.studies.running import write_studies  # noqa: PLC0415

    written = write_studies(into, found, quick=quick)
    if as_json:
        told = [document_of(study, outcome, quick=quick) for study, outcome in found.items()]
        click.echo(json.dumps(told, indent=1, allow_nan=False))
        return
    for study, outcome in found.items():
        for claim in outcome.claims:
            click.echo(f"{study.name}: {claim.verdict.value}: {claim.says}")
            click.echo(f"  {claim.measured}")
    for path in written:
        if path.name == "README.md":
            click.echo(path)
