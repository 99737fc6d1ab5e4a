"""``sparsebench eval``."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, NoReturn

import click

from sparsebench.cli.config import config_option, from_command_line
from sparsebench.cli.eval_report import report
from sparsebench.cli.kinds import OneOf, Whole
from sparsebench.cli.options import Names, Seconds, Seeds, Size, output_option
from sparsebench.cli.prices import prices_option
from sparsebench.cli.settings import settings_option
from sparsebench.cores import usable_cores

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
    help="Only these instances, e.g. n256-r4,polynomial. Default: all that the board is scored on.",
)
@click.option(
    "--all-instances", is_flag=True, help="Also those that the board is not scored on, for studies."
)
@click.option("--small", is_flag=True, help="Only the small instances, for a quick try.")
@click.option("--variants", type=Names(), default="", help="Only these variants.")
@click.option(
    "--seeds", type=Seeds(), default="5", show_default=True, help="A number of seeds, 3-7, or 0,2,9."
)
@click.option("--jobs", type=Whole(min=1), default=None, help="Cells at once. Default: one per core.")
@click.option(
    "--time-limit",
    type=Seconds(),
    default=600.0,
    show_default=True,
    help="Seconds for fitting a cell, as many for predicting, and as many for fresh inputs.",
)
@click.option("--memory-limit", type=Size(), default="4G", show_default=True, help="Memory of a cell.")
@click.option("--resume", is_flag=True, help="Do not run finished cells again; run failed ones.")
@click.option("--traces", is_flag=True, help="Store a trace with each row, for `results verify --replay`.")
@click.option(
    "--gpu",
    type=OneOf(["auto", "off"]),
    default="auto",
    show_default=True,
    help="Whether to time on a GPU as well, if there is one and the submission can use it.",
)
@click.option(
    "--require-sandbox",
    type=OneOf(["none", "restricted", "isolated"]),
    default="none",
    show_default=True,
    help="Refuse to run (exit code 3) where the sandbox is weaker than this.",
)
@click.option(
    "--unsafe-no-sandbox",
    is_flag=True,
    help="Run strangers' code even where there is no sandbox; its rows say so for ever.",
)
@click.option("--dry-run", is_flag=True, help="Print the cells, and stop.")
@settings_option
@prices_option
@click.option("-q", "--quiet", is_flag=True, help="No progress: only errors, and the output.")
@click.option("-v", "--verbose", is_flag=True, help="Print how long the stages of each cell took.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a JSON list on standard output.")
@output_option
@click.pass_context
def command(
    ctx: click.Context,
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
    settings: tuple[tuple[str, bool | float | str], ...],
    prices: PriceList | None,
    quiet: bool,
    verbose: bool,
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
      sparsebench eval one-hidden-layer --small --variants units-16 -p units=24
      sparsebench eval --config run.toml --seeds 2

    Exit code: 0 all cells ok; 1 some cell is not; 2 a mistake in usage; 3 too weak a sandbox; 4 data that do
    not have their hashes.
    """
    from sparsebench.evaluate.plan import Limits, Selection  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.evaluate.run import prepare  # noqa: PLC0415
    from sparsebench.models import shipped_names  # noqa: PLC0415

    named = submissions or (ctx.default_map or {}).get("submissions", ())
    references = [*named, *(shipped_names() if shipped else [])]
    if not references:
        message = "expected a submission: a path, the name of a shipped one, or --shipped, got nothing"
        raise click.UsageError(f"{message}; `sparsebench submissions` lists the shipped ones")
    if quiet and verbose:
        raise click.UsageError("expected --quiet or --verbose, got both; leave one out")
    if dry_run and as_json:
        raise click.UsageError("expected --dry-run or --json, got both; leave one out")
    instances, small, all_instances = _which(ctx, instances, small=small, all_instances=all_instances)
    selection = Selection(tasks, instances, variants, seeds, small, all_instances, settings)
    limits = Limits(
        time_limit,
        memory_limit,
        traces=output if traces else None,
        gpu=gpu == "auto",
        require_sandbox=require_sandbox,
        unsafe=unsafe_no_sandbox,
    )
    say = _say_nothing if quiet else _say
    run = prepare(references, selection, output, limits, resume=resume, make_data=not dry_run, progress=say)
    if dry_run:
        for cell in run.cells:
            click.echo(cell.label)
        return 0
    rows = _execute(run, jobs or usable_cores(), quiet=quiet, verbose=verbose)
    report(run, rows, prices, as_json=as_json, quiet=quiet)
    return int(any(row.status != "ok" for row in rows))


def _which(
    ctx: click.Context, instances: tuple[str, ...], *, small: bool, all_instances: bool
) -> tuple[tuple[str, ...], bool, bool]:
    """Return the three options that choose instances; typed ones go before those of a file.

    Raises
    ------
    click.UsageError
        If --all-instances and another of them are given.
    """
    given = {"instances": instances, "small": small, "all_instances": all_instances}
    if any(given[name] and from_command_line(ctx, name) for name in given):
        given = {
            name: value if from_command_line(ctx, name) else type(value)() for name, value in given.items()
        }
    if given["all_instances"] and (given["instances"] or given["small"]):
        other = "--instances" if given["instances"] else "--small"
        message = f"expected {other} or --all-instances, got both"
        raise click.UsageError(f"{message}; leave one out, since each says which instances to run")
    return (instances if given["instances"] else ()), bool(given["small"]), bool(given["all_instances"])


def _say(line: str) -> None:
    click.echo(line, err=True)


def _say_nothing(_: str) -> None:
    """Print nothing."""


def _execute(run: Run, jobs: int, *, quiet: bool, verbose: bool) -> list[Row]:
    from sparsebench.cli.progress import Progress  # noqa: PLC0415

    if run.finished and not quiet:
        click.echo(f"{len(run.finished)} cells are finished already", err=True)
    with Progress(len(run.cells), quiet=quiet, verbose=verbose) as progress, _stopped_by_schedulers():
        try:
            jobs = min(jobs, max(len(run.cells), 1))
            return run.execute(
                jobs=jobs, on_row=progress.advance, on_start=progress.start, on_clock=progress.took
            )
        except KeyboardInterrupt:
            done = f"{progress.done} of {len(run.cells)} cells finished, their rows are in {run.store}"
            progress.say(f"{done}; go on with the same command and --resume")
            raise


@contextlib.contextmanager
def _stopped_by_schedulers() -> Iterator[None]:
    """Let SIGTERM stop a run as Ctrl-C does: ``timeout`` and job schedulers send it."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread handles signals
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
