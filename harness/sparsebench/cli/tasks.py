"""``sparsebench tasks``: the tasks that there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.mistakes import Verbs
from sparsebench.cli.tasks_data import croissant, freeze, generate, verify
from sparsebench.cli.tasks_own import check, new, seal

if TYPE_CHECKING:
    from sparsebench.tasks import InstanceSpec, Task

__all__ = ["command"]


@click.group("tasks", cls=Verbs)
def command() -> None:
    """List, show, verify and re-create tasks; make one of your own.

    \b
    Examples:
      sparsebench tasks list
      sparsebench tasks show routed-classification@1
      sparsebench tasks verify --all
      sparsebench tasks new my-task
    """


for _verb in (check, croissant, freeze, generate, new, seal, verify):
    command.add_command(_verb)


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
    table = [(t.ref, t.title, t.metric, len(t.instances), ", ".join(t.board)) for t in found]
    headers = ("task", "title", "metric", "instances", "on the board")
    click.echo(tabulate(table, headers=headers, maxcolwidths=[None, 32, None, None, 50]))


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

    found = load_task(task)
    if as_json:
        click.echo(json.dumps(_about(found), indent=1))
        return
    click.echo(f"{found.ref}: {found.title}\n\n{found.statement}\n")
    box = f"{found.box.log2_ops_low:g} to {found.box.log2_ops_high:g}"
    click.echo(
        f"metric: {found.metric}; scoring box: log2 of operations from {box}; licence: {found.licence}"
    )
    click.echo(f"hash: {found.hash}\n")
    for name, spec in found.instances.items():
        click.echo(f"  {name}: {spec.description}{_remarks(spec)}")


def _remarks(spec: InstanceSpec) -> str:
    facts = [f"{name} {value:g}" for name, value in spec.facts.items()]
    marks = [name for name in ("board", "small", "generated", "streamed", "fresh") if getattr(spec, name)]
    sizes = [f"{spec.classes} classes"] * bool(spec.classes) + [f"{len(spec.domains)} domains"] * bool(
        spec.domains
    )
    shape = " x ".join(map(str, spec.input_shape))
    source = [f"from {spec.source.title}, {spec.source.licence}"] if spec.source else []
    return f" ({'; '.join([f'input {shape}', *sizes, *facts, *source, *marks])})"


def _about(task: Task) -> dict[str, object]:
    return {
        "task": task.ref,
        "title": task.title,
        "statement": task.statement,
        "metric": task.metric,
        "licence": task.licence,
        "log2_ops": [task.box.log2_ops_low, task.box.log2_ops_high],
        "hash": task.hash,
        "board": list(task.board),
        "instances": {name: _about_instance(spec) for name, spec in task.instances.items()},
    }


def _about_instance(spec: InstanceSpec) -> dict[str, Any]:
    source = spec.source and {name: getattr(spec.source, name) for name in ("title", "licence", "url")}
    plain = ("description", "seed", "small", "board", "generated", "streamed", "fresh")
    return {
        **{name: getattr(spec, name) for name in (*plain, "target_dtype", "classes")},
        "input_shape": list(spec.input_shape),
        "domains": list(spec.domains),
        "facts": spec.facts,
        "source": source,
        "hash": spec.hash,
        "splits": spec.splits,
        "files": spec.files,
    }
