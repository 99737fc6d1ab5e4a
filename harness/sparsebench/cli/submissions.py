"""``sparsebench submissions``: the submissions that come with sparsebench, and what one says about itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.mistakes import Verbs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.models import SubmissionFolder

__all__ = ["command"]

_json_option = click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")


@click.group("submissions", cls=Verbs, invoke_without_command=True)
@_json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """List the submissions that come with sparsebench, or show one.

    Without a verb they are listed.

    \b
    Examples:
      sparsebench submissions
      sparsebench submissions show lsh-affine
    """
    if ctx.invoked_subcommand is None:
        _list(as_json=as_json)
    elif as_json:
        raise click.UsageError(
            f"expected --json after the verb, got it before {ctx.invoked_subcommand}; move it"
        )


@command.command("list")
@_json_option
def list_(*, as_json: bool) -> None:
    """List the submissions that come with sparsebench.

    \b
    Example:
      sparsebench submissions list --json
    """
    _list(as_json=as_json)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(name: str, *, as_json: bool) -> None:
    """Show a submission: what its submission.toml says, its variants, and its hash.

    NAME is the name of a shipped one, or the path of a folder with a submission.toml.

    \b
    Examples:
      sparsebench submissions show lsh-affine
      sparsebench submissions show ./my-router --json
    """
    from sparsebench.models import find_submission  # noqa: PLC0415 - keeps `--help` quick

    found = find_submission(name)
    if as_json:
        click.echo(json.dumps(_about(found), indent=1))
        return
    for line in _lines(found):
        click.echo(line)


def _list(*, as_json: bool) -> None:
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    from sparsebench.models import find_submission, shipped_names  # noqa: PLC0415

    manifests = [find_submission(name).manifest for name in shipped_names()]
    if as_json:
        click.echo(json.dumps([manifest.model_dump() for manifest in manifests], indent=1))
        return
    table = [(m.name, m.title, ", ".join(m.tasks), len(m.variants)) for m in manifests]
    click.echo(tabulate(table, headers=("submission", "title", "tasks", "variants")))


def _about(found: SubmissionFolder) -> dict[str, Any]:
    return {**found.manifest.model_dump(), "path": str(found.path), "hash": found.hash}


def _lines(found: SubmissionFolder) -> Iterator[str]:
    from sparsebench.leaderboard.escape import for_terminal  # noqa: PLC0415 - keeps `--help` quick

    about = found.manifest
    yield f"{about.name}: {for_terminal(about.title)}\n"
    facts = {
        "authors": ", ".join(about.authors),
        "licence": about.license,
        "reference": about.reference,
        "entry": about.entry,
        "tasks": ", ".join(about.tasks),
        "include": ", ".join(about.include),
        "requires": ", ".join(about.requires),
        "gpu": about.gpu,
        "uses tags": "yes" if about.uses_tags else "no",
        "allows NaN": "yes" if about.allow_nan else "no",
        "folder": str(found.path),
        "hash": found.hash,
    }
    for name, told in facts.items():
        yield f"{name:<10} {for_terminal(told, _LONGEST) or 'none'}"
    yield f"\n{len(about.variants)} variants:"
    for variant in about.variants:
        given = variant.settings if variant.fit is None else {"fit": variant.fit, **variant.settings}
        settings = ", ".join(f"{name} = {json.dumps(value)}" for name, value in given.items())
        yield f"  {variant.name}{f': {for_terminal(settings, _LONGEST)}' if settings else ''}"


_LONGEST = 1000  # shown characters of a text
