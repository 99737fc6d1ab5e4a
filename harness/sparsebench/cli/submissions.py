"""``sparsebench submissions``."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.command("submissions")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def command(*, as_json: bool) -> None:
    """List the submissions that come with sparsebench.

    \b
    Example:
      sparsebench submissions
    """
    from tabulate import tabulate  # noqa: PLC0415 - keeps `--help` quick

    from sparsebench.models import find_submission, shipped_names  # noqa: PLC0415

    manifests = [find_submission(name).manifest for name in shipped_names()]
    if as_json:
        click.echo(json.dumps([manifest.model_dump() for manifest in manifests], indent=1))
        return
    table = [(m.name, m.title, ", ".join(m.tasks), len(m.variants)) for m in manifests]
    click.echo(tabulate(table, headers=("submission", "title", "tasks", "variants")))
