"""One panel of a chart as SVG: the axes, a line for each entry, points for the others, labels at the ends."""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from sparsebench.leaderboard.axes import axes, better
from sparsebench.leaderboard.curves import within
from sparsebench.leaderboard.line_styles import marks, stroke
from sparsebench.leaderboard.svg import LABEL, TITLE, apart, element, number, shortened, text, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.leaderboard.axes import Panel
    from sparsebench.leaderboard.board import Steps
    from sparsebench.leaderboard.plotted import Curve

__all__ = ["LINE_GAP", "draw_panel", "titled"]

LINE_GAP = 11.0
"""Between the places of two labels, in pixels."""

_POINT = "#b0b0b0"
_APART = 24.0  # between two markers of a line
_LEADER = 7.0  # from the end of a line to its label


def draw_panel(panel: Panel, *, keys: Mapping[str, str] | None = None, hint: bool = False) -> str:
    """Draw one chart.

    Parameters
    ----------
    panel
        The chart and its place.
    keys
        Entry -> letter at the end of its line; without it, names are there.
    hint
        Whether to say which side is better.
    """
    chart = panel.chart
    lines = [_line(panel, curve) for curve in reversed(chart.curves)]  # the best above the others
    return element(
        "g",
        titled(panel.title, panel.x, panel.y),
        *axes(panel),
        *([better(panel)] if hint else []),
        *_points(panel),
        *lines,
        *_labels(panel, keys),
        class_="sb-panel",
        data_task=chart.task,
        **({} if chart.instance is None else {"data_instance": chart.instance}),
    )


def titled(lines: Sequence[str], x: float, y: float) -> str:
    """Return the lines of a title below a place."""
    return element(
        "g",
        *(
            words(line, x, y + 12.0 * place + 9.5, TITLE, font_weight="bold")
            for place, line in enumerate(lines)
        ),
        class_="sb-title",
    )


def _points(panel: Panel) -> Iterator[str]:
    for name, spots in groupby(panel.chart.spots, key=lambda spot: spot.submission):
        places = [(panel.across(spot.log2_ops), panel.up(spot.quality)) for spot in spots]
        path = element(
            "path",
            class_="sb-points",
            d="".join(f"M{number(x)} {number(y)}h.01" for x, y in places),
            fill="none",
            stroke=_POINT,
            stroke_width=3.0,
            stroke_linecap="round",
        )
        yield element("g", element("title", text(name)), path, class_="sb-other", data_entry=name)


def _line(panel: Panel, curve: Curve) -> str:
    style = panel.styles[curve.submission]
    corners = _corners(curve.steps, panel)
    path = stroke(_path(corners, panel), style, "sb-line")
    about = element("title", text(f"{curve.label}: {curve.score:.3f}"))
    marked = marks(_spaced(corners[:-1]), style)
    return element("g", about, path, marked, class_="sb-entry", data_entry=curve.submission)


def _corners(steps: Steps, panel: Panel) -> list[tuple[float, float]]:
    """Return the places of a curve's steps in the box, and of its end."""
    inner = within(steps, panel.chart.low, panel.chart.high)
    start = next((place for place, (_, quality) in enumerate(inner) if quality > 0.0), 0)
    return [(panel.across(cost), panel.up(quality)) for cost, quality in inner[start:]]


def _path(corners: Sequence[tuple[float, float]], panel: Panel) -> str:
    """Return the path of a step curve: it rises from 0 where it starts, unless that is the box's edge."""
    (x, y), *_ = corners
    path = f"M{number(x)} {number(y)}"
    if x > panel.across.first:
        path = f"M{number(x)} {number(panel.up.first)}V{number(y)}"
    for (_, before), (x, y) in pairwise(corners):
        path += f"H{number(x)}" + (f"V{number(y)}" if y != before else "")
    return path


def _spaced(corners: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return corners that are so far from one another that their markers can be told apart."""
    found: list[tuple[float, float]] = []
    for corner in corners:
        if not found or math.dist(found[-1], corner) >= _APART:
            found.append(corner)
    return found


def _labels(panel: Panel, keys: Mapping[str, str] | None) -> Iterator[str]:
    """Yield the labels at the ends of lines, moved apart, with a thin line from each to its end."""
    curves, end = panel.chart.curves, panel.across.last
    places = [_corners(curve.steps, panel)[-1][1] for curve in curves]
    moved = apart(places, LINE_GAP, panel.up.last + 3.0, panel.up.first - 3.0)
    for curve, place, y in zip(curves, places, moved, strict=True):
        style = panel.styles[curve.submission]
        leader = f"M{number(end)} {number(place)}L{number(end + _LEADER - 2.0)} {number(y)}"
        yield element(
            "path", class_="sb-leader", d=leader, fill="none", stroke=style.colour, stroke_width=0.7
        )
        if keys is not None:
            yield words(keys[curve.submission], end + _LEADER - 1.0, y + 3.0, LABEL, class_="sb-label")
            continue
        yield marks([(end + _LEADER + 2.0, y)], style)
        x = end + _LEADER + 7.0
        label = shortened(curve.label, panel.x + panel.room - x, LABEL)
        yield words(label, x, y + 3.0, LABEL, class_="sb-label", data_entry=curve.submission)
