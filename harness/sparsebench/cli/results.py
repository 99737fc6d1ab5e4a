"""``sparsebench results``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sparsebench.cli.mistakes import Verbs
from sparsebench.cli.options import output_option
from sparsebench.cli.results_merge import merge
from sparsebench.cli.results_show import show
from sparsebench.cli.results_verify import verify
from sparsebench.cli.stored import stored_rows

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.group("results", cls=Verbs)
def command() -> None:
    """Look at stored rows.

    \b
    Example:
      sparsebench results show --submissions lsh-constant
    """


for _verb in (merge, show, verify):
    command.add_command(_verb)


@command.command("compact")
@output_option
def compact(output: Path) -> None:
    """Put the rows of many files into one file, which can be read faster. No row is lost.

    \b
    Example:
      sparsebench results compact
    """
    from sparsebench.results import ResultStore  # noqa: PLC0415 - keeps `--help` quick

    stored_rows(output)
    click.echo(ResultStore(output).compact() or "nothing to do: there is one file")
