"""``sparsebench new``."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Start a submission of your own: a folder with a router and experts that run as they are.

    The folder's name becomes the submission's name: lower-case letters, digits and hyphens.

    \b
    Example:
      sparsebench new my-router
      # edit my-router/submission.py
      sparsebench check ./my-router
      sparsebench explain ./my-router
      sparsebench eval ./my-router --small
    """
    from sparsebench.models.template import write_template  # noqa: PLC0415 - keeps `--help` quick

    for path in write_template(folder):
        click.echo(path)
    click.echo(f"now edit {folder / 'submission.py'}, then: sparsebench check {folder}", err=True)
