"""A panel's place in a picture, and its axes: quality upwards, log2 of operations to the right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.svg import DIM, SMALL, Scale, element, number, shortened, text_width, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.leaderboard.line_styles import Style
    from sparsebench.leaderboard.plotted import Chart

__all__ = ["BOTTOM", "LEFT", "Panel", "axes", "better", "tick_label", "ticks"]

LEFT, BOTTOM = 34.0, 29.0
"""Room for the axes of a panel, left of it and below it."""

_FAINT = "#e4e4e4"
_UNITS = ((40, "T"), (30, "G"), (20, "M"), (10, "k"))
_LARGEST = 50  # powers of two beyond it are written as powers


class Panel(NamedTuple):
    """A chart's place in a picture."""

    chart: Chart
    """What is drawn."""
    styles: Mapping[str, Style]
    """Of each entry that is a line."""
    x: float
    """Left edge of the panel."""
    y: float
    """Upper edge."""
    room: float
    """Width of the panel, with axes and labels."""
    title: Sequence[str]
    """Its lines."""
    across: Scale
    """log2 of operations -> place."""
    up: Scale
    """Quality -> place."""


def ticks(low: float, high: float, width: float) -> list[float]:
    """Return the places of an axis's numbers: powers of two with equal steps between them.

    Parameters
    ----------
    low, high
        Ends of the axis, log2 of operations.
    width
        Its length, in pixels: numbers have 26 each.
    """
    step = 1
    while step < (high - low) * 26.0 / width or (high - low) / step > 8.0:  # noqa: PLR2004 - more are too many
        step *= 2
    first = -(-math.ceil(low) // step) * step  # in whole numbers: a quotient could round to 0
    found = [float(value) for value in range(first, math.floor(high) + 1, step)]
    return found if len(found) > 1 else [low, high]


def tick_label(log2_ops: float) -> str:
    """Return a number of operations in few letters: ``16``, ``64k``, ``1M``; 1k is 1024."""
    if log2_ops != int(log2_ops):
        return f"{2.0**log2_ops:.3g}"
    power = int(log2_ops)
    if not 0 <= power < _LARGEST:
        return f"2^{power}"
    unit, letter = next((each for each in _UNITS if power >= each[0]), (0, ""))
    return f"{1 << (power - unit)}{letter}"


def axes(panel: Panel) -> Iterator[str]:
    """Yield the grid, the frame, which is the task's box, and what stands at the axes."""
    across, up, chart = panel.across, panel.up, panel.chart
    places = ticks(chart.low, chart.high, across.last - across.first)
    grid = "".join(f"M{number(across(each))} {number(up.last)}V{number(up.first)}" for each in places)
    grid += "".join(
        f"M{number(across.first)} {number(up(q))}H{number(across.last)}" for q in (0.25, 0.5, 0.75)
    )
    yield element("path", class_="sb-grid", d=grid, fill="none", stroke=_FAINT, stroke_width=0.7)
    yield element(
        "rect",
        class_="sb-box",
        x=across.first,
        y=up.last,
        width=across.last - across.first,
        height=up.first - up.last,
        fill="none",
        stroke=DIM,
        stroke_width=0.8,
    )
    for each in places:
        yield words(
            tick_label(each), across(each), up.first + 11.0, SMALL, text_anchor="middle", class_="sb-x"
        )
    for quality in (0.0, 0.5, 1.0):
        label = f"{quality:g}"
        yield words(label, across.first - 4.0, up(quality) + 3.0, SMALL, text_anchor="end", class_="sb-y")
    yield _costs(panel)
    if panel.x == 0.0:
        x, y = panel.x + 9.0, (up.first + up.last) / 2
        turn = f"rotate(-90 {number(x)} {number(y)})"
        yield words("quality", x, y, SMALL, text_anchor="middle", transform=turn, class_="sb-axis")


def _costs(panel: Panel) -> str:
    """Return the label of the axis of costs, in the middle of it as far as the panel has room."""
    label = shortened(panel.chart.counted, panel.room, SMALL)
    half = text_width(label, SMALL) / 2
    middle = (panel.across.first + panel.across.last) / 2
    middle = max(panel.x + half, min(panel.x + panel.room - half, middle))
    return words(label, middle, panel.up.first + 22.0, SMALL, text_anchor="middle", class_="sb-axis")


def better(panel: Panel) -> str:
    """Return an arrow to where the better entries are, in the corner where the worse ones are."""
    x, y = panel.across.last - 6.0, panel.up.first - 6.0
    arrow = f"M{number(x)} {number(y)}l-9 -9m0 4.5v-4.5h4.5"
    return element(
        "g",
        element("path", d=arrow, fill="none", stroke=DIM, stroke_width=0.9),
        words("better", x - 12.0, y - 1.0, SMALL, text_anchor="end", fill=DIM, font_style="italic"),
        class_="sb-hint",
    )
