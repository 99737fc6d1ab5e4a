"""``sparsebench new``."""

from __future__ import annotations

from pathlib import Path

import click

from sparsebench.cli.kinds import PathTo

__all__ = ["command"]


@click.command("new")
@click.argument("folder", type=PathTo(path_type=Path))
@click.option("--kernel", is_flag=True, help="Start with your own CUDA kernel and its reference.")
def command(folder: Path, *, kernel: bool) -> None:
    """Start a submission of your own: a folder with a router and experts that run as they are.

    The folder's name becomes the submission's name: lower-case letters, digits and hyphens.

    \b
    Examples:
      sparsebench new my-router
      # edit my-router/submission.py
      sparsebench check ./my-router
      sparsebench explain ./my-router
      sparsebench eval ./my-router --small
      sparsebench new my-kernel --kernel
    """
    from sparsebench.models.template import write_template  # noqa: PLC0415 - keeps `--help` quick

    for path in write_template(folder, kernel=kernel):
        click.echo(path)
    click.echo(f"now edit {folder / 'submission.py'}, then: sparsebench check {folder}", err=True)
