"""``sparsebench results merge``."""

from __future__ import annotations

from pathlib import Path

import click

from sparsebench.cli.kinds import PathTo

__all__ = ["merge"]


@click.command("merge")
@click.argument(
    "sources", nargs=-1, required=True, metavar="SOURCE...", type=PathTo(path_type=Path, file_okay=False)
)
@click.option(
    "-o",
    "--output",
    type=PathTo(path_type=Path, file_okay=False),
    required=True,
    help="Directory of the store that gets the rows. It may have some already.",
)
def merge(sources: tuple[Path, ...], output: Path) -> None:
    """Put the rows of several stores into one, as one new file.

    SOURCE is a directory that `sparsebench eval` wrote; it stays as it is. A row that is there already is not
    written again. All runs of a cell are kept: tables show the newest that is ok. Everything is read before
    anything is written, and an error names a file of rows that cannot be read. Traces stay with their stores.

    \b
    Examples:
      sparsebench results merge node-1 node-2 -o sparsebench-results
      sparsebench results merge theirs -o ours && sparsebench leaderboard show -o ours

    Exit code: 0 fine; 2 a source has no rows; 4 a file of rows cannot be read.
    """
    from sparsebench.results.merging import merge_stores  # noqa: PLC0415 - keeps `--help` quick

    merged = merge_stores(sources, output)
    click.echo(merged.path or "nothing to do: all rows are there")
    click.echo(f"{merged.added} rows added, {merged.already} there already", err=True)
