"""``sparsebench leaderboard compare``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from sparsebench.cli.boards import board_of_store, choosing, fixed_by, frozen_option, terminal_width
from sparsebench.cli.options import output_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["compare"]


@click.command("compare")
@click.argument("first")
@click.argument("second")
@choosing
@frozen_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@output_option
def compare(
    first: str,
    second: str,
    tasks: tuple[str, ...],
    instances: tuple[str, ...],
    seeds: int,
    frozen: Path | None,
    output: Path,
    *,
    small: bool,
    as_json: bool,
) -> None:
    """Compare two entries of a board, in words.

    FIRST and SECOND are names on the board. For every task that both enter: scores with intervals, the
    board's verdict (Welch's test after Holm's correction), on which instances each is ahead, operations at
    equal quality, the router's part, dear inputs and memory; and what all this does not say.

    \b
    Examples:
      sparsebench leaderboard compare conditional-tree one-hidden-layer
      sparsebench leaderboard compare lsh-affine dense-features --tasks lipschitz-regression@1
      sparsebench leaderboard compare k-nn cart --frozen leaderboard/board.toml --output leaderboard/results
      sparsebench leaderboard compare k-nn cart --json
    """
    from sparsebench.leaderboard.comparison import compare as compared  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard.comparison import comparison_document  # noqa: PLC0415
    from sparsebench.leaderboard.comparison_text import comparison_text  # noqa: PLC0415
    from sparsebench.leaderboard.standard import Choice  # noqa: PLC0415

    choice = fixed_by(frozen, Choice(instances=instances, small=small, seeds=seeds))
    comparison = compared(board_of_store(output, tasks, choice), first, second)
    if as_json:
        click.echo(json.dumps(comparison_document(comparison), indent=1, allow_nan=False))
    else:
        click.echo(comparison_text(comparison, width=terminal_width()), nl=False)
