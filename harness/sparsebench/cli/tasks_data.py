"""``sparsebench tasks verify``, ``generate``, ``freeze`` and ``croissant``: data and their hashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparsebench.cli.kinds import PathTo, Whole
from sparsebench.cli.options import Names
from sparsebench.cli.progress import Telling
from sparsebench.cores import usable_cores
from sparsebench.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.tasks import FileCheck, InstanceSpec, Task

__all__ = ["croissant", "freeze", "generate", "verify"]


@click.command("verify")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option("--all", "everything", is_flag=True, help="All tasks, with --regenerate: what can be checked.")
@click.option("--regenerate", is_flag=True, help="Also make the data again from their seeds, and compare.")
@click.option(
    "--seed-file",
    type=PathTo(path_type=Path, dir_okay=False, exists=True),
    help="The seed of a sealed folder.",
)
@click.option("--task", "drawn_from", help="The task that a sealed folder was drawn from, if it is your own.")
@click.option("--jobs", type=Whole(min=1), default=None, help="Instances at once. Default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def verify(
    tasks: tuple[str, ...],
    *,
    everything: bool,
    regenerate: bool,
    seed_file: Path | None,
    drawn_from: str | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Check the data of tasks, all if none is named, against their hashes.

    Real data are made again if the packages that they come from are installed; else the committed files are
    checked, and a line says so.

    \b
    Examples:
      sparsebench tasks verify
      sparsebench tasks verify --all
      sparsebench tasks verify ./sealed --seed-file seed
      sparsebench tasks verify ./sealed --seed-file seed --task ./my-task/v1

    Exit code: 0 all is as it should be; 4 something is not.
    """
    from sparsebench.tasks import list_tasks, load_task  # noqa: PLC0415 - keeps `--help` quick

    if (seed_file is not None or drawn_from) and len(tasks) != 1:
        message = f"expected one sealed folder with --seed-file and --task, got {len(tasks)}"
        raise click.UsageError(f"{message}; name the folder")
    told, wrong = [], 0
    for task in [load_task(ref) for ref in tasks] or list_tasks():
        if seed_file is not None or _is_sealed(task):
            checks = _seal_checks(task, seed_file, drawn_from)
        else:
            checks = _checks(task, again=regenerate or everything, jobs=jobs or usable_cores())
        for check in checks:
            wrong += not check.ok
            told.append({"task": task.ref, **check._asdict()})
            if not as_json:
                place = f"{task.ref} {check.instance} {check.file}"
                click.echo(f"{'ok  ' if check.ok else 'FAIL'} {place}: {check.message}")
    if as_json:
        click.echo(json.dumps(told, indent=1))
    if wrong:
        raise IntegrityError(
            f"{wrong} of {len(told)} checks failed: data are not what their hashes say",
            help="restore the files from a release",
        )


def _is_sealed(task: Task) -> bool:
    return any(spec.commitment for spec in task.own.values())


def _seal_checks(task: Task, seed_file: Path | None, drawn_from: str | None) -> Iterator[FileCheck]:
    from sparsebench.tasks import load_task, verify_task  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.tasks.authoring.sealing import verify_seal  # noqa: PLC0415

    if not _is_sealed(task):
        raise UsageError(f"{task.ref} is not sealed", help="leave --seed-file out")
    yield from verify_task(task)
    yield from verify_seal(task, seed_file, load_task(drawn_from) if drawn_from else None)


def _checks(task: Task, *, again: bool, jobs: int) -> Iterator[FileCheck]:
    from sparsebench.tasks import rederive, verify_task  # noqa: PLC0415 - keeps `--help` quick

    yield from verify_task(task)
    if again:
        yield from rederive(task, jobs=jobs)


@click.command("generate")
@click.argument("task")
@click.argument("directory", type=PathTo(path_type=Path, file_okay=False), required=False)
@click.option("--instances", type=Names(), default="", help="Only these instances.")
def generate(task: str, directory: Path | None, instances: tuple[str, ...]) -> None:
    """Make a task's Parquet files from their seeds, in DIRECTORY.

    Without DIRECTORY, make the files that are not in the repository, in the cache, where they would be made
    on first use.

    \b
    Examples:
      sparsebench tasks generate memorization@1 /tmp/memorization
      sparsebench tasks generate lipschitz-regression@1 --instances curved-k2-d64
    """
    from sparsebench.tasks import load_task, regenerate  # noqa: PLC0415 - keeps `--help` quick

    found = load_task(task)
    named = [found.own_spec(name) for name in instances]
    with Telling() as tell:
        if directory is not None:
            _make(directory)
            for path in regenerate(found, directory, instances=instances, progress=tell):
                click.echo(path)
            return
        for spec in named or [spec for spec in found.own.values() if not spec.streamed]:
            for file in spec.files if spec.generated else ():
                click.echo(_made_whole(found, spec, file, tell))


def _made_whole(task: Task, spec: InstanceSpec, file: str, tell: Telling) -> Path:
    """Return a file of the cache; a broken one is made again."""
    from sparsebench.tasks.cache import discard, locate  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.tasks.loading import check_file  # noqa: PLC0415

    try:
        check_file(locate(task, spec, file, progress=tell), spec, file)
    except IntegrityError as error:
        if not discard(task, spec, file):
            raise
        tell(f"{error.what}: made again")
    return locate(task, spec, file, progress=tell)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{directory}: cannot be made: {error.strerror}", help="give another folder"
        ) from None


@click.command("freeze")
@click.argument("folder", type=PathTo(path_type=Path, file_okay=False, exists=True))
@click.option("--instances", type=Names(), default="", help="Only these instances.")
@click.option("--overwrite", is_flag=True, help="Change existing hashes: for a draft that nobody has used.")
def freeze(folder: Path, instances: tuple[str, ...], *, overwrite: bool) -> None:
    """Make the data of a task of your own, and write their hashes into its task.toml.

    FOLDER is a version folder, whose task.toml lists each file as "NAME.parquet" = {}.

    \b
    Example:
      sparsebench tasks freeze ./my-task/v1
    """
    from sparsebench.tasks.authoring.freezing import freeze_task  # noqa: PLC0415 - keeps `--help` quick

    with Telling() as tell:
        task = freeze_task(folder, instances=instances, overwrite=overwrite, progress=tell)
    click.echo(f"{task.ref} {task.hash}")


@click.command("croissant")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option("--check", is_flag=True, help="Write nothing; print what differs from the files.")
def croissant(tasks: tuple[str, ...], *, check: bool) -> None:
    """Write the metadata of tasks, all if none is named: croissant.json beside task.toml.

    Croissant is the metadata format of MLCommons for datasets, in JSON-LD.

    \b
    Examples:
      sparsebench tasks croissant ./my-task/v1
      sparsebench tasks croissant --check

    Exit code: 4 with --check, if something differs.
    """
    from sparsebench.tasks import list_tasks, load_task  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.tasks.croissant.document import check_croissant, write_croissant  # noqa: PLC0415

    wrong = []
    for task in [load_task(ref) for ref in tasks] or list_tasks():
        if check:
            wrong += [f"{task.ref}: {line}" for line in check_croissant(task)]
        else:
            click.echo(write_croissant(task))
    for line in wrong:
        click.echo(line)
    if wrong:
        raise IntegrityError(
            f"{len(wrong)} differences between metadata and data", help="run `sparsebench tasks croissant`"
        )
