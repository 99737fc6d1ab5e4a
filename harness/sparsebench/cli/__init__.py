"""The command line. Each verb is a module that parses, calls and prints; it is imported when it is used."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import click

from sparsebench.cli.mistakes import Verbs, line_of
from sparsebench.errors import SparsebenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_VERBS = {
    "bench": "Time primitives, beside what the machine can do at most.",
    "board": "Run a board of your own, as a repository.",
    "check": "Check that a submission keeps the contract.",
    "doctor": "Tell what of this machine sparsebench can use.",
    "eval": "Score submissions: accuracy against active operations.",
    "explain": "Show where a submission's operations go, line by line.",
    "leaderboard": "Show the board of stored rows, or publish it.",
    "new": "Start a submission of your own.",
    "publish": "Publish a board: page, tables, JSON, feed.",
    "reproduce": "Derive claims of papers anew, each with a verdict.",
    "results": "Look at stored rows, check and merge them.",
    "submissions": "List the submissions that come with sparsebench, or show one.",
    "tasks": "List, show, verify and re-create the standard tasks.",
}
_MODULES = {"eval": "evaluate"}
_INTERRUPTED = 130


class _Verbs(Verbs):
    """Verbs that are imported only when they are used, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the verbs."""
        return sorted(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a verb."""
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(f"sparsebench.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_VERBS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        metadata = importlib.import_module("importlib.metadata")
        click.echo(f"sparsebench {metadata.version('sparsebench')}")
        ctx.exit()


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def cli() -> None:
    """Judge sparse networks by accuracy against active operations.

    The harness counts; nothing that a submission says about itself enters a score.

    \b
    Examples:
      sparsebench eval conditional-tree --seeds 2
      sparsebench new my-router && sparsebench eval ./my-router --small
      sparsebench leaderboard show
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Exit codes: 0 fine; 1 an evaluation failed; 2 a mistake in usage; 3 too weak a sandbox; 4 data that do not
    have their hashes; 130 interrupted.
    """
    try:
        code = cli.main(arguments, prog_name="sparsebench", standalone_mode=False)
    except SparsebenchError as error:
        _report(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(line_of(error), err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _report(error: SparsebenchError) -> None:
    click.echo(f"{click.style(f'error[{error.code}]', fg='red', bold=True)}: {error.what}", err=True)
    if error.help:
        click.echo(f"{click.style('help', bold=True)}: {error.help}", err=True)
