"""One panel of a chart as SVG: the axes, a line for each entry, points for the others, labels at the ends.

Colours are those of Okabe and Ito (2008), without yellow, which is too light for a line. Every line has a
dash and a marker of its own too, and its name or letter at its end: nothing depends on colour.
"""

from __future__ import annotations

import math
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.curves import within
from sparsebench.leaderboard.svg import Scale, apart, element, number, shortened, text, text_width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sparsebench.leaderboard.board import Steps
    from sparsebench.leaderboard.plotted import Chart, Curve

__all__ = [
    "BOTTOM",
    "DIM",
    "LABEL",
    "LEFT",
    "LINE_GAP",
    "SMALL",
    "TITLE",
    "Panel",
    "Style",
    "draw_panel",
    "sample",
    "styles_of",
    "tick_label",
    "ticks",
    "titled",
    "words",
]

TITLE, LABEL, SMALL = 10.0, 9.0, 8.0
"""Sizes of fonts, in pixels."""

LEFT, BOTTOM = 34.0, 29.0
"""Room for the axes of a panel, left of it and below it."""

LINE_GAP = 11.0
"""Between the places of two labels."""

DIM = "#6e6e6e"
"""The colour of what is read last, dark enough for small letters."""

_INK, _FAINT, _POINT = "#222222", "#e4e4e4", "#b0b0b0"
_UNITS = ((40, "T"), (30, "G"), (20, "M"), (10, "k"))
_LARGEST = 50  # powers of two beyond it are written as powers
_APART = 24.0  # between two markers of a line
_LEADER = 7.0  # from the end of a line to its label


class Style(NamedTuple):
    """How a line looks."""

    colour: str
    dash: str
    """Lengths of dashes and gaps; empty for a solid line."""
    marker: str
    """The marker's path, from the middle of it."""


_STYLES = (
    Style("#0072b2", "", "m-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0z"),
    Style("#d55e00", "7 2", "m-2.3 -2.3h4.6v4.6h-4.6z"),
    Style("#009e73", "2 1.5", "m0 -3.2l3 5.4h-6z"),
    Style("#cc79a7", "8 2 2 2", "m0 -3.4l3.4 3.4l-3.4 3.4l-3.4 -3.4z"),
    Style("#e69f00", "4 1.5", "m0 3.2l3 -5.4h-6z"),
    Style("#56b4e9", "11 2", "m-3 0h6m-3 -3v6"),
    Style("#000000", "8 2 2 2 2 2", "m-2.4 -2.4l4.8 4.8m0 -4.8l-4.8 4.8"),
)
_DENSE = Style(DIM, "5 3", "m-2.6 -1.2h5.2v2.4h-5.2z")
_SPARE = Style(DIM, "", "m-2.4 0h4.8")  # of an eighth line where none is the dense reference


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


def styles_of(charts: Sequence[Chart]) -> list[dict[str, Style]]:
    """Return the style of each entry in each chart: the same one in all of them, where it is free there."""
    usual: dict[str, Style] = {}
    found = []
    for chart in charts:
        styles = {curve.submission: _DENSE for curve in chart.curves if curve.is_reference}
        names = [curve.submission for curve in chart.curves if not curve.is_reference]
        for name in sorted(names, key=lambda name: name not in usual):  # stable; those known come first
            kept = usual.get(name)
            styles[name] = kept if kept and kept not in styles.values() else _free(styles, usual)
            usual.setdefault(name, styles[name])
        found.append(styles)
    return found


def _free(taken: Mapping[str, Style], usual: Mapping[str, Style]) -> Style:
    """Return a style that no line of a chart has, and few other entries."""
    used = list(usual.values())
    free = [style for style in _STYLES if style not in taken.values()]
    return min(free, key=used.count, default=_SPARE)


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
        *_axes(panel),
        *([_hint(panel)] if hint else []),
        *_points(panel),
        *lines,
        *_labels(panel, keys),
        class_="sb-panel",
        data_task=chart.task,
        **({} if chart.instance is None else {"data_instance": chart.instance}),
    )


def words(line: str, x: float, y: float, size: float, **attributes: str | float) -> str:
    """Return a line of text; its baseline is at y."""
    fill = attributes.pop("fill", _INK)
    return element("text", text(line), x=x, y=y, font_size=size, fill=fill, **attributes)


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


def sample(style: Style, x: float, y: float) -> str:
    """Return a piece of a line with its marker, as a key shows it: 22 pixels wide."""
    return element(
        "g",
        _stroke(f"M{number(x)} {number(y)}h22", style, "sb-line"),
        _marks([(x + 11.0, y)], style),
        class_="sb-sample",
    )


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
    found = [float(value) for value in range(math.ceil(low / step) * step, math.floor(high) + 1, step)]
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


def _axes(panel: Panel) -> Iterator[str]:
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


def _hint(panel: Panel) -> str:
    """Return an arrow to where the better entries are, in the corner where the worse ones are."""
    x, y = panel.across.last - 6.0, panel.up.first - 6.0
    arrow = f"M{number(x)} {number(y)}l-9 -9m0 4.5v-4.5h4.5"
    return element(
        "g",
        element("path", d=arrow, fill="none", stroke=DIM, stroke_width=0.9),
        words("better", x - 12.0, y - 1.0, SMALL, text_anchor="end", fill=DIM, font_style="italic"),
        class_="sb-hint",
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
    path = _stroke(_path(corners, panel), style, "sb-line")
    about = element("title", text(f"{curve.label}: {curve.score:.3f}"))
    marks = [_marks(marked, style)] if (marked := _spaced(corners[:-1])) else []
    return element("g", about, path, *marks, class_="sb-entry", data_entry=curve.submission)


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


def _stroke(path: str, style: Style, kind: str) -> str:
    dash = {"stroke_dasharray": style.dash} if style.dash else {}
    return element("path", class_=kind, d=path, fill="none", stroke=style.colour, stroke_width=1.5, **dash)


def _marks(places: Sequence[tuple[float, float]], style: Style) -> str:
    path = "".join(f"M{number(x)} {number(y)}{style.marker}" for x, y in places)
    return element(
        "path", class_="sb-marks", d=path, fill=style.colour, stroke=style.colour, stroke_width=1.1
    )


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
        yield _marks([(end + _LEADER + 2.0, y)], style)
        x = end + _LEADER + 7.0
        label = shortened(curve.label, panel.x + panel.room - x, LABEL)
        yield words(label, x, y + 3.0, LABEL, class_="sb-label", data_entry=curve.submission)
