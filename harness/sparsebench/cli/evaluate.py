"""``sparsebench eval``."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
from typing import TYPE_CHECKING, NoReturn

import click

from sparsebench.cli.kinds import OneOf, Whole
from sparsebench.cli.options import Names, Seconds, Seeds, Size, output_option, usable_cores
from sparsebench.cli.prices import prices_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sparsebench.evaluate.run import Run
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Row

__all__ = ["command"]


@click.command("eval")
@click.argument("submissions", nargs=-1, metavar="[SUBMISSION]...")
@click.option("--shipped", is_flag=True, help="Add every submission that comes with sparsebench.")
@click.option("--tasks", type=Names(), default="", help="Only these tasks, e.g. memorization@1.")
@click.option(
    "--instances",
    type=Names(),
    default="",
    help="These instances, e.g. n256-r4,polynomial. Default: all that the board is scored on.",
)
@click.option(
    "--all-instances", is_flag=True, help="Also those that the board is not scored on, for studies."
)
@click.option("--small", is_flag=True, help="Only the small instances, for a quick try.")
@click.option("--variants", type=Names(), default="", help="Only these variants.")
@click.option("--seeds", type=Seeds(), default="5", show_default=True, help="How many, or 3-7, or 0,2,9.")
@click.option("--jobs", type=Whole(min=1), default=None, help="Cells at once. Default: one per core.")
@click.option(
    "--time-limit",
    type=Seconds(),
    default=600.0,
    show_default=True,
    help="Seconds for fitting a cell, again for predicting, and again for fresh inputs.",
)
@click.option("--memory-limit", type=Size(), default="4G", show_default=True, help="Memory of a cell.")
@click.option("--resume", is_flag=True, help="Do not run again what has finished; run what has failed.")
@click.option(
    "--traces", is_flag=True, help="Store with each row what was asked, for `results verify --replay`."
)
@click.option(
    "--gpu",
    type=OneOf(["auto", "off"]),
    default="auto",
    show_default=True,
    help="Whether to time on a GPU as well, where there is one and the submission can use it.",
)
@click.option(
    "--require-sandbox",
    type=OneOf(["none", "restricted", "isolated"]),
    default="none",
    show_default=True,
    help="Refuse to run (exit code 3) where submissions are held less than that.",
)
@click.option(
    "--unsafe-no-sandbox",
    is_flag=True,
    help="Run strangers' code even where nothing holds it; its rows say so for ever.",
)
@click.option("--dry-run", is_flag=True, help="Print the cells and stop.")
@prices_option
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a JSON list on standard output.")
@output_option
def command(
    submissions: tuple[str, ...],
    *,
    shipped: bool,
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    all_instances: bool,
    small: bool,
    variants: tuple[str, ...],
    seeds: tuple[int, ...],
    jobs: int | None,
    time_limit: float,
    memory_limit: int,
    resume: bool,
    traces: bool,
    gpu: str,
    require_sandbox: str,
    unsafe_no_sandbox: bool,
    dry_run: bool,
    prices: PriceList | None,
    as_json: bool,
    output: Path,
) -> int:
    """Score submissions: accuracy against active operations, counted by the harness.

    SUBMISSION is the path of a folder with a submission.toml, or the name of a shipped one. Every finished
    cell (variant x instance x seed) is stored at once as a row under the output directory.

    \b
    Examples:
      sparsebench eval conditional-tree
      sparsebench eval ./my-router --small --seeds 2
      sparsebench eval --shipped --jobs 2 --resume
      sparsebench eval conditional-tree --all-instances --seeds 1
      sparsebench eval conditional-tree --small --traces
      sparsebench eval ./a-strangers --require-sandbox isolated
      sparsebench eval lsh-constant --tasks lipschitz-regression@1 --json > rows.json

    Exit code: 0 all cells ok; 1 some cell is not; 2 a mistake in usage; 3 too weak a sandbox; 4 data that
    are not what their hashes say.
    """
    from sparsebench.evaluate.plan import Limits, Selection  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.evaluate.run import prepare  # noqa: PLC0415
    from sparsebench.models import shipped_names  # noqa: PLC0415

    references = [*submissions, *(shipped_names() if shipped else [])]
    if not references:
        message = "expected a submission: a path, the name of a shipped one, or --shipped, got nothing"
        raise click.UsageError(f"{message}; `sparsebench submissions` lists the shipped ones")
    if all_instances and (instances or small):
        other = "--instances" if instances else "--small"
        message = f"expected {other} or --all-instances, got both"
        raise click.UsageError(f"{message}; leave one out, since each says which instances to run")
    selection = Selection(tasks, instances, variants, seeds, small, all_instances)
    limits = Limits(
        time_limit,
        memory_limit,
        traces=output if traces else None,
        gpu=gpu == "auto",
        require_sandbox=require_sandbox,
        unsafe=unsafe_no_sandbox,
    )
    run = prepare(references, selection, output, limits, resume=resume, make_data=not dry_run, progress=_say)
    if dry_run:
        for cell in run.cells:
            click.echo(cell.label)
        return 0
    rows = _execute(run, jobs or usable_cores())
    _print(run, rows, prices, as_json=as_json)
    return int(any(row.status != "ok" for row in rows))


_WEAK = {
    "none": "warning: nothing held the submissions' processes: sandbox none",
    "files": "warning: rows of an earlier harness, which held files alone: sandbox files",
    "restricted": "note: submissions ran without namespaces of their own: sandbox restricted",
}
"""What is said of rows by what held their processes."""


def _say(line: str) -> None:
    click.echo(line, err=True)


def _execute(run: Run, jobs: int) -> list[Row]:
    from sparsebench.cli.progress import Progress  # noqa: PLC0415

    if run.finished:
        click.echo(f"{len(run.finished)} cells are finished already", err=True)
    with Progress(len(run.cells)) as progress, _stopped_by_schedulers():
        try:
            jobs = min(jobs, max(len(run.cells), 1))
            return run.execute(jobs=jobs, on_row=progress.advance, on_start=progress.start)
        except KeyboardInterrupt:
            done = f"{progress.done} of {len(run.cells)} cells finished, their rows are in {run.store}"
            progress.say(f"{done}; go on with the same command and --resume")
            raise


@contextlib.contextmanager
def _stopped_by_schedulers() -> Iterator[None]:
    """Have SIGTERM stop a run as Ctrl-C does: ``timeout`` and job schedulers send it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's affair
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _print(run: Run, rows: list[Row], prices: PriceList | None, *, as_json: bool) -> None:
    """Print the rows or the tables to standard output, and remarks to standard error."""
    from sparsebench.cli.leaderboard import terminal_width  # noqa: PLC0415
    from sparsebench.leaderboard import terminal  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice, board_of  # noqa: PLC0415
    from sparsebench.results.priced import with_price  # noqa: PLC0415

    if as_json:
        click.echo(json.dumps([with_price(row, prices) for row in rows], indent=1, allow_nan=False))
    else:
        board = board_of(rows, list(run.tasks.values()), Choice(prices=prices))
        click.echo(terminal(board, width=terminal_width()))
    for row in rows:
        if row.status != "ok":
            place = f"{row.submission}/{row.variant} on {row.task}/{row.instance}, seed {row.seed}"
            click.echo(f"{row.status}: {place}: {row.reason}", err=True)
    weak = sorted({row.sandbox for row in rows} - {"isolated"})
    for level in weak:
        click.echo(f"{_WEAK[level]}; `sparsebench doctor` says what would raise it", err=True)
    if run.limits.traces:
        _print_lacking(run.limits.traces, rows)
    click.echo(f"rows: {run.store}", err=True)


def _print_lacking(store: Path, rows: list[Row]) -> None:
    """Say which rows have no trace: they were finished before, or their model is too large for one."""
    from sparsebench.evaluate.replay.tracing import trace_path  # noqa: PLC0415

    lacking = [row for row in rows if row.status == "ok" and not trace_path(store, row.cell_key).exists()]
    for row in lacking:
        place = f"{row.submission}/{row.variant} on {row.task}/{row.instance}, seed {row.seed}"
        click.echo(f"no trace: {place}", err=True)
    if lacking:
        mend = (
            "without --resume a finished cell runs again; what is too large for a trace, docs/traces.md says"
        )
        click.echo(f"{len(lacking)} rows have no trace: {mend}", err=True)
