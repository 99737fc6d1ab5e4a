"""``sparsebench tasks new``, ``check`` and ``seal``: a user's own tasks and instances."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sparsebench.cli.kinds import PathTo
from sparsebench.cli.options import Names
from sparsebench.cli.progress import Telling

__all__ = ["check", "new", "seal"]


@click.command("new")
@click.argument("folder", type=PathTo(path_type=Path))
def new(folder: Path) -> None:
    """Start a task of your own: a folder FOLDER/v1 with a generator that runs as it is.

    \b
    Example:
      sparsebench tasks new my-task
      # edit my-task/v1/generate.py and my-task/v1/task.toml
      sparsebench tasks freeze my-task/v1
      sparsebench tasks check my-task/v1
    """
    from sparsebench.tasks.authoring.template import new_task  # noqa: PLC0415 - keeps `--help` quick

    made = new_task(folder.name, folder.parent)
    click.echo(made)
    click.echo(f"now edit {made / 'generate.py'}, then: sparsebench tasks freeze {made}", err=True)


@click.command("check")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@click.option("--instances", type=Names(), default="", help="Only these instances.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def check(tasks: tuple[str, ...], instances: tuple[str, ...], *, as_json: bool) -> int:
    """Check tasks, all if none is named, for faults that make scores meaningless.

    The checks look for leaks between splits (exact and near duplicates), labels and tags that are missing
    where they are scored, ids, hashes, the scoring box, facts that the data contradict, and new inputs that
    are not like the test split. If a task has new inputs (`fresh`), its generate.py is run.

    \b
    Examples:
      sparsebench tasks check ./my-task/v1
      sparsebench tasks check memorization@1 --instances n4096-r4

    Exit code: 0 all is well; 1 something is not.
    """
    from sparsebench.author.task_quality import check_qualities  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.tasks import list_tasks, load_task  # noqa: PLC0415
    from sparsebench.tasks.authoring.checking import check_task  # noqa: PLC0415

    told, wrong = [], 0
    with Telling() as tell:
        for task in [load_task(ref) for ref in tasks] or list_tasks():
            for checks in (
                check_task(task, instances=instances, progress=tell),
                check_qualities(task, instances=instances),
            ):
                for found in checks:
                    wrong += not found.ok
                    told.append({"task": task.ref, **found._asdict()})
                    if not as_json:
                        place = f"{task.ref} {found.instance} {found.name}"
                        tell.print(f"{'ok  ' if found.ok else 'FAIL'} {place}: {found.detail}")
    if as_json:
        click.echo(json.dumps(told, indent=1))
    return int(wrong > 0)


@click.command("seal")
@click.argument("task")
@click.option("--instance", required=True, help="The instance to draw anew.")
@click.option(
    "--seed-file",
    type=PathTo(path_type=Path, dir_okay=False),
    required=True,
    help="The file of the secret seed. It is made, with 256 random bits, if it does not exist.",
)
@click.option(
    "-o",
    "--output",
    type=PathTo(path_type=Path, file_okay=False),
    required=True,
    help="The folder to make.",
)
def seal(task: str, instance: str, seed_file: Path, output: Path) -> None:
    """Draw a private instance of a task, and write a commitment to it.

    Publish commitment.json at once, and the seed when the scores are out: anybody can then check both with
    `sparsebench tasks verify FOLDER --seed-file SEED`. Keep the folder and the seed to yourself until then.

    \b
    Example:
      sparsebench tasks seal memorization@1 --instance n4096-r4 --seed-file seed --output ./sealed
      sparsebench eval conditional-tree --tasks ./sealed
      sparsebench tasks verify ./sealed --seed-file seed
    """
    from sparsebench.tasks import load_task  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.tasks.authoring.sealing import seal_instance  # noqa: PLC0415

    with Telling() as tell:
        commitment = seal_instance(load_task(task), instance, seed_file, output, progress=tell)
    click.echo(commitment.read_text(encoding="utf-8"), nl=False)
    click.echo(
        f"publish {commitment}; keep {seed_file} and {output} secret until the scores are out", err=True
    )
