"""``sparsebench tasks``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sparsebench.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.tasks import Task

__all__ = ["command"]


@click.group("tasks")
def command() -> None:
    """List, show, verify and re-create the standard tasks.

    \b
    Examples:
      sparsebench tasks list
      sparsebench tasks verify --regenerate
    """


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_(*, as_json: bool) -> None:
    """List the tasks.

    \b
    Example:
      sparsebench tasks list
    """
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    from sparsebench.tasks import list_tasks  # noqa: PLC0415

    found = list_tasks()
    if as_json:
        click.echo(json.dumps([_about(task) for task in found], indent=1))
        return
    table = [(t.ref, t.title, t.metric, ", ".join(t.instances)) for t in found]
    click.echo(
        tabulate(table, headers=("task", "title", "metric", "instances"), maxcolwidths=[None, 40, None, 40])
    )


@command.command("show")
@click.argument("task")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(task: str, *, as_json: bool) -> None:
    """Show a task: its statement, metric, box, instances and hashes.

    \b
    Example:
      sparsebench tasks show memorization@1
    """
    from sparsebench.tasks import load_task  # noqa: PLC0415 - keeps `--help` quick

    about = _about(load_task(task))
    if as_json:
        click.echo(json.dumps(about, indent=1))
        return
    for key, value in about.items():
        if isinstance(value, dict):
            click.echo(f"{key}:")
            for name, text in value.items():
                click.echo(f"  {name}: {text}")
        else:
            click.echo(f"{key}: {value}")


def _about(task: Task) -> dict[str, object]:
    return {
        "task": task.ref,
        "title": task.title,
        "statement": task.statement,
        "metric": task.metric,
        "log2_ops": [task.box.log2_ops_low, task.box.log2_ops_high],
        "hash": task.hash,
        "instances": {
            name: f"{spec.description}{' (small)' if spec.small else ''} {spec.hash}"
            for name, spec in task.instances.items()
        },
    }


@command.command("verify")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option("--regenerate", is_flag=True, help="Also re-create the data from their seeds and compare.")
def verify(tasks: tuple[str, ...], *, regenerate: bool) -> None:
    """Check the data of tasks, all if none is named, against their hashes.

    \b
    Examples:
      sparsebench tasks verify
      sparsebench tasks verify memorization@1 --regenerate
    """
    from sparsebench.tasks import list_tasks, load_task  # noqa: PLC0415 - keeps `--help` quick

    wrong = 0
    for task in [load_task(ref) for ref in tasks] or list_tasks():
        for ok, line in _checks(task, regenerate=regenerate):
            click.echo(f"{'ok  ' if ok else 'FAIL'} {task.ref} {line}")
            wrong += not ok
    if wrong:
        raise IntegrityError(
            f"{wrong} files are not what their hashes say", help="restore them from a release"
        )


def _checks(task: Task, *, regenerate: bool) -> Iterator[tuple[bool, str]]:
    from sparsebench.tasks import regenerate as recreate  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.tasks import verify_task  # noqa: PLC0415

    for check in verify_task(task):
        yield check.ok, f"{check.instance} {check.file}: {check.message}"
    if regenerate:
        with tempfile.TemporaryDirectory(prefix="sparsebench-") as folder:
            recreate(task, Path(folder))
            for check in verify_task(task, Path(folder)):
                yield check.ok, f"{check.instance} {check.file} (re-created): {check.message}"


@command.command("generate")
@click.argument("task")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def generate(task: str, directory: Path) -> None:
    """Re-create a task's Parquet files from their seeds, in DIRECTORY.

    \b
    Example:
      sparsebench tasks generate memorization@1 /tmp/memorization
    """
    from sparsebench.tasks import load_task, regenerate  # noqa: PLC0415 - keeps `--help` quick

    found = load_task(task)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{directory}: cannot be made: {error.strerror}", help="give another folder"
        ) from None
    for path in regenerate(found, directory):
        click.echo(path)
