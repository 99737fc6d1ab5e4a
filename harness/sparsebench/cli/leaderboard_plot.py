"""The charts that ``sparsebench leaderboard plot`` writes, and those that ``leaderboard show`` prints."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sparsebench.cli.kinds import OneOf, PathTo, Whole
from sparsebench.cli.options import Length, Names
from sparsebench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparsebench.leaderboard import Board
    from sparsebench.leaderboard.charts import Picture

__all__ = ["drawing", "print_charts", "write_charts"]

_FORMATS = ("svg", "png", "pdf")
_PLAIN_WIDTH = 80  # where there is no terminal


def drawing(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of `write_charts`."""
    for option in (
        click.option(
            "--into",
            type=PathTo(path_type=Path),
            required=True,
            help="A directory, for a picture of each task; or a file .svg, .png or .pdf, for one picture.",
        ),
        click.option(
            "--formats",
            type=Names(),
            default="svg",
            show_default=True,
            help="For a directory: of svg, png, pdf.",
        ),
        click.option("--dpi", type=Whole(min=36, max=1200), default=300, show_default=True, help="Of a PNG."),
        click.option(
            "--width", type=Length(), help="Default: 3.4in, one column, for each chart side by side."
        ),
        click.option(
            "--by",
            type=OneOf(["task", "instance"]),
            default="task",
            show_default=True,
            help="A chart of each task, or a small one of each instance.",
        ),
        click.option(
            "--submissions",
            type=Names(),
            default="",
            help="The entries to draw as lines, beside the reference.",
        ),
    ):
        verb = option(verb)
    return verb


def write_charts(
    board_of: Callable[[], Board],
    *,
    submissions: tuple[str, ...],
    by: str,
    width: float | None,
    dpi: int,
    formats: tuple[str, ...],
    into: Path,
) -> list[Path]:
    """Draw a board, and write its pictures.

    Parameters
    ----------
    board_of
        Builds the board, once the other options are known to be valid.
    submissions, by, width, dpi, formats, into
        As `drawing` has them.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    UsageError
        An option is not valid, the extra ``figures`` is missing, or a file cannot be written; no file is
        changed.
    """
    from sparsebench.leaderboard.pictures import rendered  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard.plotted import check_chosen  # noqa: PLC0415
    from sparsebench.leaderboard.publish import write_pictures  # noqa: PLC0415

    form = _form_of(into, formats)
    board = board_of()
    check_chosen(board, submissions)
    if form is not None:
        contents = {into: rendered(_one_picture(board, submissions, by, width), form, dpi)}
    else:
        contents = {
            into / f"{name}.{each}": rendered(picture, each, dpi)
            for name, picture in _pictures(board, submissions, by, width).items()
            for each in formats
        }
    return write_pictures(contents)


def print_charts(board: Board, *, by: str) -> None:
    """Print a chart of each task, or of each instance, as wide as the terminal.

    They have colours in a terminal, unless NO_COLOR is set, and are in ASCII where the output's encoding has
    nothing else.
    """
    from sparsebench.leaderboard.plotted import chart_of, charts_by_instance  # noqa: PLC0415 - `--help` is quick
    from sparsebench.leaderboard.text_charts import BRAILLE, draw_text  # noqa: PLC0415

    there = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if there else _PLAIN_WIDTH
    colour = there and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    plain = not _can_be_written(BRAILLE)
    for number in range(len(board.tasks)):
        charts = charts_by_instance(board, number) if by == "instance" else [chart_of(board, number)]
        for chart in charts:
            click.echo(f"{draw_text(chart, width=width, height=23, plain=plain, colour=colour)}\n")


def _can_be_written(letters: str) -> bool:
    try:
        letters.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _form_of(into: Path, formats: Sequence[str]) -> str | None:
    """Return the form of a file; None for a directory."""
    if into.is_dir():
        return _checked(None, formats)
    ending = into.suffix.removeprefix(".").lower()
    if ending and ending not in _FORMATS:
        raise UsageError(
            f"--into: expected a directory, or a file .svg, .png or .pdf, got {str(into)!r}",
            help="give the file such an ending, or make the directory first",
        )
    return _checked(ending or None, formats)


def _checked(form: str | None, formats: Sequence[str]) -> str | None:
    """Check the forms that are asked for, and return that of a file."""
    context = click.get_current_context()
    if form is not None and context.get_parameter_source("formats") is ParameterSource.COMMANDLINE:
        raise UsageError(
            "--formats: expected a directory after --into, got a file", help="its ending says which"
        )
    wrong = [each for each in formats if each not in _FORMATS]
    if wrong or not formats:
        message = f"--formats: expected some of {', '.join(_FORMATS)}, got {', '.join(wrong) or 'none'}"
        raise UsageError(message, help="for example svg,png")
    return form


def _one_picture(board: Board, submissions: Sequence[str], by: str, width: float | None) -> Picture:
    from sparsebench.leaderboard.pictures import picture_of  # noqa: PLC0415 - `--help` is quick

    if by == "instance" and len(board.tasks) > 1:
        raise UsageError(
            f"--by instance: expected one task in a file, got {len(board.tasks)}",
            help="choose one with --tasks, or give a directory after --into",
        )
    return picture_of(board, range(len(board.tasks)), chosen=submissions, by=by, width=width)


def _pictures(board: Board, submissions: Sequence[str], by: str, width: float | None) -> dict[str, Picture]:
    """Return the picture of each task, under the name of its file."""
    from sparsebench.leaderboard.pictures import file_names, picture_of  # noqa: PLC0415 - `--help` is quick

    ending = "-by-instance" if by == "instance" else ""
    return {
        f"{name}{ending}": picture_of(board, [number], chosen=submissions, by=by, width=width)
        for number, name in enumerate(file_names(board))
    }
