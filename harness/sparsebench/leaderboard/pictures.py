"""A board's pictures: which there are, what their files are called, and SVG made into PNG and PDF."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from sparsebench.errors import UsageError
from sparsebench.leaderboard.charts import PIXELS_PER_INCH, Picture, draw, draw_keyed
from sparsebench.leaderboard.plotted import chart_of, charts_by_instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.leaderboard.board import Board

__all__ = ["FORMATS", "file_names", "picture_of", "pictures_of", "rendered"]

FORMATS = ("svg", "png", "pdf")
"""What pictures are written as. SVG needs nothing else; the extra ``figures`` makes the others of it."""

_ALL = "board"  # the name of the picture of all tasks
_FEW = 5  # lines of a chart that has others beside it
_POINTS_PER_INCH = 72.0
_MOST_PIXELS = 100_000_000


def file_names(board: Board) -> list[str]:
    """Return the name of each task's picture, without its ending: the task's, with its version if need be."""
    names = [ref.partition("@")[0] for ref in (task.ref for task in board.tasks)]
    often = Counter([*names, _ALL])
    full = [task.ref if often[name] > 1 else name for task, name in zip(board.tasks, names, strict=True)]
    return [re.sub(r"[^A-Za-z0-9@_-]", "-", name) for name in full]


def pictures_of(board: Board) -> dict[str, Picture]:
    """Return the pictures that a published board has: file name -> picture."""
    numbers = range(len(board.tasks))
    names = file_names(board)
    alone = {
        f"{name}.svg": draw([chart_of(board, k)], name=name) for k, name in zip(numbers, names, strict=True)
    }
    together = draw([chart_of(board, number, most=_FEW) for number in numbers], name=_ALL)
    return {f"{_ALL}.svg": together, **alone}


def picture_of(
    board: Board,
    numbers: Sequence[int],
    *,
    chosen: Sequence[str] = (),
    by: str = "task",
    width: float | None = None,
) -> Picture:
    """Return one picture of some tasks.

    Parameters
    ----------
    board
        The board.
    numbers
        The tasks, by their places on it; one with ``by="instance"``.
    chosen
        The entries that are lines: see `chart_of`.
    by
        ``task``; or ``instance``: a small chart for each.
    width
        In pixels, 96 an inch. Default: a column of a paper for each chart beside another.
    """
    name = file_names(board)[numbers[0]] if len(numbers) == 1 else _ALL
    if by == "task":
        most = {} if len(numbers) == 1 or chosen else {"most": _FEW}
        return draw(
            [chart_of(board, each, chosen=chosen, **most) for each in numbers], width=width, name=name
        )
    (number,) = numbers
    charts = charts_by_instance(board, number, chosen=chosen)
    title = chart_of(board, number, chosen=chosen).title
    wide = {} if width is None else {"width": width}
    return draw_keyed(charts, title, name=f"{name}-by-instance", **wide)


def rendered(picture: Picture, form: str, dpi: int = 300) -> bytes:
    """Return a picture as a file's content.

    Parameters
    ----------
    picture
        The picture.
    form
        One of `FORMATS`.
    dpi
        Pixels per inch of a PNG.

    Raises
    ------
    UsageError
        The extra ``figures`` is not installed, or the PNG would have too many pixels.
    """
    if form == "svg":
        return picture.svg().encode()
    if form == "pdf":
        scale = _POINTS_PER_INCH / PIXELS_PER_INCH
        return bytes(_convert().svg_to_pdf(picture.svg(picture.width * scale, picture.height * scale)))
    wide, high = (
        math.ceil(round(side * dpi / PIXELS_PER_INCH, 6)) for side in (picture.width, picture.height)
    )
    if wide * high > _MOST_PIXELS:
        raise UsageError(
            f"expected a PNG of at most {_MOST_PIXELS:,} pixels, got {wide:,} x {high:,}",
            help="make it narrower, or give a smaller --dpi",
        )
    # The converter scales by dpi / 72 once more.
    return bytes(_convert().svg_to_png(picture.svg(wide, high), scale=_POINTS_PER_INCH / dpi, ppi=float(dpi)))


def _convert() -> Any:
    try:
        import vl_convert  # noqa: PLC0415 - an extra, and large
    except ImportError as fault:
        raise UsageError(
            "PNG and PDF are made by vl-convert-python, expected it to be installed, got nothing",
            help="pip install 'sparsebench[figures]', or write SVG, which needs nothing else",
        ) from fault
    return vl_convert
