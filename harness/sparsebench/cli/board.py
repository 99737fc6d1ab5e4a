"""``sparsebench board``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.kinds import OneOf, PathTo, Whole
from sparsebench.cli.mistakes import Verbs
from sparsebench.cli.options import Names
from sparsebench.cores import usable_cores

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.results import Row

__all__ = ["command"]

_LONGEST = 500  # letters of a line about a cell


@click.group("board", cls=Verbs)
def command() -> None:
    """Run a board of your own: a repository that pull requests add submissions to.

    \b
    Example:
      sparsebench board new my-board --small
    """


_repository_option = click.option(
    "--repository",
    type=PathTo(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    show_default=True,
    help="Folder of the board.",
)
_sandbox_option = click.option(
    "--require-sandbox",
    type=OneOf(["none", "restricted", "isolated"]),
    default="isolated",
    show_default=True,
    help="Refuse to run (exit code 3) where the sandbox is weaker than this.",
)
_jobs_option = click.option(
    "--jobs", type=Whole(min=1), default=None, help="Cells at once. Default: one per core."
)


def _commits(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add the two commits of a pull request."""
    for name in ("head", "base"):
        verb = click.argument(name)(verb)
    return verb


@command.command("new")
@click.argument("folder", type=PathTo(path_type=Path))
@click.option("--name", default="", help="Title of the board. Default: the folder's name.")
@click.option("--tasks", type=Names(), default="", help="Only these tasks. Default: all, at their newest.")
@click.option(
    "--instances",
    type=Names(),
    default="",
    help="Only these instances. Default: those of the standard board.",
)
@click.option("--small", is_flag=True, help="Only the small instances.")
@click.option("--seeds", type=Whole(min=1), default=5, show_default=True, help="How many seeds.")
def new(
    folder: Path,
    name: str,
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    seeds: int,
    *,
    small: bool,
) -> None:
    """Lay out a board's repository: board.toml, folders, and workflows for GitHub Actions.

    Every step of the workflows is a command that runs on your machine as well.

    \b
    Examples:
      sparsebench board new my-board --small
      sparsebench board new my-board --name "Routers of our group" --tasks memorization@2 --seeds 3
    """
    from sparsebench.boards.repository import choose, new_repository  # noqa: PLC0415 - keeps `--help` quick

    frozen = choose(tasks, instances, seeds, small=small)
    for path in new_repository(folder, frozen, title=name):
        click.echo(path)
    click.echo(
        f"now: cd {shlex.quote(str(folder))} && git init -b main && sparsebench board update", err=True
    )


@command.command("check-pull")
@_commits
@_repository_option
def check_pull(base: str, head: str, repository: Path) -> None:
    """Check that a pull request adds one new folder under submissions/, and nothing else.

    BASE is the board's commit, HEAD the last one of the pull request. Files are read from Git; nothing is
    checked out or run.

    \b
    Example:
      sparsebench board check-pull main their-branch

    Exit code: 0 it may be scored, and its folder is printed; 2 it may not.
    """
    from sparsebench.boards.pulls import check_pull as checked  # noqa: PLC0415 - keeps `--help` quick

    pull = checked(repository, base, head)
    click.echo(f"submissions/{pull.name}")
    size = sum(blob.size for blob in pull.files)
    click.echo(f"{len(pull.files)} new files, {size:,} bytes, and nothing else", err=True)


@command.command("score")
@_commits
@click.option(
    "--into",
    type=PathTo(path_type=Path, file_okay=False),
    required=True,
    help="Folder for report.json; made if missing.",
)
@_sandbox_option
@_jobs_option
@_repository_option
def score(base: str, head: str, into: Path, require_sandbox: str, jobs: int | None, repository: Path) -> None:
    """Score the submission that a pull request adds, on the board's instances and seeds.

    Rows, board.toml and shared modules are those of BASE; only the new folder is the pull request's. The
    report has its scores, its places, and what differs from the entries to compare it with.

    \b
    Example:
      sparsebench board score main their-branch --into artifact

    Exit code: 0 it is scored, also if cells failed; 2 it cannot be; 3 too weak a sandbox.
    """
    from sparsebench.boards.scoring import score_pull  # noqa: PLC0415 - keeps `--help` quick

    score_pull(
        repository,
        base,
        head,
        into,
        require_sandbox=require_sandbox,
        jobs=jobs or usable_cores(),
        on_row=_tell,
    )
    click.echo(into / "report.json")


@command.command("comment")
@click.argument("artifact", type=PathTo(path_type=Path, file_okay=False, exists=True))
@click.option("--head", default=None, help="The commit that the report must be about.")
def comment(artifact: Path, head: str | None) -> None:
    """Print the comment on a pull request as Markdown.

    ARTIFACT is the folder with the report.json of `board score`. It is read as a stranger's: a file that is
    too large, another field, or a name that is none ends with exit code 4, and nothing of it is repeated.

    \b
    Example:
      sparsebench board comment artifact
    """
    from sparsebench.boards.comment import comment_on  # noqa: PLC0415 - keeps `--help` quick
    from sparsebench.boards.report import read_report  # noqa: PLC0415

    click.echo(comment_on(read_report(artifact, head=head)), nl=False)


@command.command("update")
@_sandbox_option
@_jobs_option
@_repository_option
def update(require_sandbox: str, jobs: int | None, repository: Path) -> None:
    """Run the cells of the board that have no row, and keep their rows in results/.

    These are the cells of all folders under submissions/, of the dense references of the board's tasks, and
    of the best constant, on the instances and seeds of board.toml.

    \b
    Example:
      sparsebench board update

    Exit code: 0 all have rows, also of failed cells; 2 a mistake; 3 too weak a sandbox.
    """
    from sparsebench.boards.scoring import evaluate_missing  # noqa: PLC0415 - keeps `--help` quick

    ran = evaluate_missing(
        repository, require_sandbox=require_sandbox, jobs=jobs or usable_cores(), on_row=_tell
    )
    click.echo(f"{ran} cells had no row" if ran else "nothing to do: every cell has a row")


def _tell(row: Row) -> None:
    """Print how a cell ended, as one line, whatever its submission wrote."""
    from sparsebench.leaderboard.escape import for_log  # noqa: PLC0415 - keeps `--help` quick

    why = f": {row.reason}" if row.reason else ""
    click.echo(for_log(f"{row.status} {row.identity.label}{why}", _LONGEST), err=True)
