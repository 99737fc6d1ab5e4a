"""``sparsebench publish``."""

from __future__ import annotations

from pathlib import Path

import click

from sparsebench.cli.boards import frozen_option
from sparsebench.cli.kinds import PathTo
from sparsebench.cli.options import Names, output_option
from sparsebench.cli.stored import runs

__all__ = ["command"]


@click.command("publish")
@click.option(
    "--into",
    type=PathTo(path_type=Path, file_okay=False),
    required=True,
    help="Folder that a static host serves; made if missing.",
)
@frozen_option
@click.option("--tasks", type=Names(), default="", help="Only these tasks. Default: all that have rows.")
@click.option(
    "--submissions",
    type=PathTo(path_type=Path, file_okay=False, exists=True),
    default=None,
    help="Only the submissions in this folder, as they are there, and those that come with sparsebench.",
)
@click.option("--title", default="sparsebench board", show_default=True)
@click.option("--base-url", default="", help="The address that the folder will have.")
@click.option(
    "--release",
    default=None,
    metavar="NAME",
    help="Move what is published there to releases/NAME, and begin new tables.",
)
@click.option(
    "--accept-changes",
    is_flag=True,
    help="Publish other scores of unchanged submissions; the feed says so.",
)
@output_option
def command(
    into: Path,
    frozen: Path | None,
    tasks: tuple[str, ...],
    submissions: Path | None,
    title: str,
    base_url: str,
    release: str | None,
    output: Path,
    *,
    accept_changes: bool,
) -> None:
    """Publish the board of stored rows: a page, tables, rows, a JSON API, badges and a feed of changes.

    A static host can serve the folder as it is. All files are written, or none; the same rows make the same
    bytes. published.json lists the files, and what the board was scored by: published again, rows of another
    scoring version or cost model are refused, and so are other scores of the same code.

    \b
    Examples:
      sparsebench publish --into public
      sparsebench publish --into public --frozen board.toml --output results --base-url https://me.github.io/b/
      sparsebench publish --into public --release 2026

    Exit code: 0 fine; 2 a mistake in usage; 4 the board in the folder does not go together with these rows.
    """
    from sparsebench.boards.edition import edition_of  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.boards.folders import rows_of  # noqa: PLC0415
    from sparsebench.boards.publishing import publish  # noqa: PLC0415
    from sparsebench.leaderboard.frozen import read_frozen  # noqa: PLC0415

    rows = runs(output, "--output")
    edition = edition_of(
        rows if submissions is None else rows_of(rows, submissions),
        tasks=tasks,
        frozen=read_frozen(frozen) if frozen else None,
        title=title,
        base_url=base_url,
    )
    done = publish(edition, into, accept_changes=accept_changes, release=release)
    for name in done.files:
        click.echo(into / name)
    for event in done.events:
        click.echo(f"feed: {event.title}", err=True)
    for name in done.removed:
        click.echo(f"removed: {into / name}", err=True)
