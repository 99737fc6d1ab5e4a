"""Charts as SVG pictures: quality against operations, a panel for each task or instance.

The SVG is written here, and not by a library of charts: a board's pictures need no extra, the same rows give
the same bytes on every machine, names from strangers are escaped in one place, and a page can style the parts
by their classes (``sb-...``); the attributes are what holds without any style.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.axes import BOTTOM, LEFT, Panel
from sparsebench.leaderboard.line_styles import sample, styles_of
from sparsebench.leaderboard.panels import LINE_GAP, draw_panel, titled
from sparsebench.leaderboard.svg import (
    DIM,
    LABEL,
    SMALL,
    TITLE,
    Scale,
    element,
    number,
    shortened,
    text,
    text_width,
    words,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparsebench.leaderboard.plotted import Chart

__all__ = ["COLUMN", "PIXELS_PER_INCH", "Picture", "draw", "draw_keyed"]

PIXELS_PER_INCH = 96.0
"""Of SVG and CSS."""

COLUMN = 3.4 * PIXELS_PER_INCH
"""Width of one column of a paper, in pixels."""

_FONTS = "Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"
_BOLD = 1.12  # letters of titles are so much wider
_GAP = 14.0  # between two panels
_KEY_ROOM, _KEYS = 14.0, "abcdefgh"
_NARROW, _NARROW_KEYED = 220.0, 150.0  # panel with names at its lines' ends, and with letters
_LABEL_ROOM = 0.42  # the most of a panel that names may have
_SIDE_BY_SIDE = 3  # panels with names


class Picture(NamedTuple):
    """A picture that is drawn."""

    width: float
    """In pixels, 96 an inch."""
    height: float
    """In pixels."""
    name: str
    """What its identifiers begin with: letters, digits and hyphens."""
    body: str
    """Its elements."""

    def svg(self, width: float | None = None, height: float | None = None) -> str:
        """Return it as an SVG document, of another size in pixels where both sides are given."""
        wide, high = (self.width, self.height) if width is None or height is None else (width, height)
        root = element(
            "svg",
            self.body,
            xmlns="http://www.w3.org/2000/svg",
            class_="sb-chart",
            role="img",
            aria_labelledby=f"{self.name}-title {self.name}-desc",
            width=wide,
            height=high,
            viewBox=f"0 0 {number(self.width)} {number(self.height)}",
            font_family=_FONTS,
            font_size=LABEL,
        )
        return f"{root}\n"


def draw(charts: Sequence[Chart], *, width: float | None = None, name: str = "chart") -> Picture:
    """Draw charts beside one another, with the names of entries at the ends of their lines.

    Parameters
    ----------
    charts
        At least one. Up to three are side by side, where the width allows it; more are in rows of two.
    width
        Of the whole picture, in pixels. Default: a column of a paper for each chart beside another.
    name
        What identifiers begin with, so that several pictures can be on one page.
    """
    columns = len(charts) if len(charts) <= _SIDE_BY_SIDE else 2
    wide = width if width is not None else COLUMN * columns + _GAP * (columns - 1)
    columns = _fitting(columns, wide, _NARROW)
    room = (wide - _GAP * (columns - 1)) / columns
    longest = max((text_width(c.label, LABEL) for chart in charts for c in chart.curves), default=0.0)
    panels = _panels(charts, columns, room, min(longest + 17.0, _LABEL_ROOM * room))
    parts = [draw_panel(panel, hint=not place) for place, panel in enumerate(panels)]
    return _picture(charts, parts, _end(panels), wide, name)


def draw_keyed(charts: Sequence[Chart], title: str, *, width: float = COLUMN, name: str = "chart") -> Picture:
    """Draw many small charts of the same entries, with letters at the ends of lines and a key below.

    Parameters
    ----------
    charts
        At least one, all with the same entries as lines.
    title
        Of all of them.
    width
        Of the whole picture, in pixels.
    name
        As for `draw`.
    """
    columns = _fitting(len(charts), width, _NARROW_KEYED)
    room = (width - _GAP * (columns - 1)) / columns
    lines = wrapped(title, width / _BOLD, TITLE)
    panels = _panels(charts, columns, room, _KEY_ROOM, 12.0 * len(lines) + 5.0)
    names = [curve.submission for chart in charts for curve in chart.curves]
    keys = dict(zip(dict.fromkeys(names), _KEYS, strict=False))
    parts = [draw_panel(panel, keys=keys, hint=not place) for place, panel in enumerate(panels)]
    key, end = _key(panels[0], keys, width, _end(panels))
    return _picture(charts, [titled(lines, 0.0, 0.0), *parts, key], end, width, name, title)


def _fitting(columns: int, width: float, narrow: float) -> int:
    """Return how many panels of a least width are side by side."""
    return max(1, min(columns, int((width + _GAP) / (narrow + _GAP))))


def _panels(
    charts: Sequence[Chart], columns: int, room: float, right: float, top: float = 0.0
) -> list[Panel]:
    """Give charts their places, row by row."""
    wide = room - LEFT - right
    most = max(len(chart.curves) for chart in charts)
    high = max(min(0.75 * wide, 260.0), 84.0, LINE_GAP * most + 4.0)
    styles = styles_of(charts)
    panels: list[Panel] = []
    for start in range(0, len(charts), columns):
        titles = [wrapped(chart.title, room / _BOLD, TITLE) for chart in charts[start : start + columns]]
        upper = top + 12.0 * max(map(len, titles)) + 6.0
        for column, title in enumerate(titles):
            chart, x = charts[start + column], column * (room + _GAP)
            across = Scale(chart.low, chart.high, x + LEFT, x + LEFT + wide)
            up = Scale(0.0, 1.0, upper + high, upper)
            panels.append(Panel(chart, styles[start + column], x, top, room, title, across, up))
        top = upper + high + BOTTOM + 6.0
    return panels


def _end(panels: Sequence[Panel]) -> float:
    return panels[-1].up.first + BOTTOM + 2.0


def _key(panel: Panel, keys: Mapping[str, str], width: float, y: float) -> tuple[str, float]:
    """Return which letter and line is which entry's, and where that ends."""
    curves = panel.chart.curves
    widest = max((text_width(curve.label, LABEL) for curve in curves), default=0.0) + 46.0
    columns = max(1, int(width / widest))
    room = width / columns
    parts = []
    for place, curve in enumerate(curves):
        x, line = room * (place % columns), y + 13.0 * (place // columns) + 7.0
        parts.append(sample(panel.styles[curve.submission], x + 1.0, line))
        parts.append(words(keys[curve.submission], x + 27.0, line + 3.0, LABEL, font_weight="bold"))
        label = shortened(curve.label, room - 40.0, LABEL)
        parts.append(
            words(label, x + 36.0, line + 3.0, LABEL, class_="sb-label", data_entry=curve.submission)
        )
    return element("g", *parts, class_="sb-key"), y + 13.0 * math.ceil(len(curves) / columns) + 4.0


def _picture(
    charts: Sequence[Chart], parts: Sequence[str], end: float, width: float, name: str, title: str = ""
) -> Picture:
    """Put the paper under the parts, a note below them, and what is read aloud before them."""
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "chart"
    notes = wrapped(_note(charts), width, SMALL, most=8)
    height = float(math.ceil(end + 10.0 * len(notes) + 4.0))
    about = [
        element("title", text(title or "; ".join(chart.title for chart in charts)), id=f"{prefix}-title"),
        element("desc", text(" ".join(map(_description, charts))), id=f"{prefix}-desc"),
        element("rect", class_="sb-paper", width=width, height=height, fill="#ffffff"),
    ]
    below = [
        words(line, 0.0, end + 10.0 * place + 8.0, SMALL, fill=DIM, class_="sb-note")
        for place, line in enumerate(notes)
    ]
    return Picture(width, height, prefix, "\n".join([*about, *parts, *below]))


def _note(charts: Sequence[Chart]) -> str:
    """Return what the parts of the charts are."""
    curves = [curve for chart in charts for curve in chart.curves]
    parts = [
        "Lines: the quality that a budget buys",
        ", mean over the task's instances" * any(chart.instance is None for chart in charts),
        "; the frame is the task's box. ",
        "Grey dashes: the dense reference. " * any(curve.is_reference for curve in curves),
        "(told): given the domain of every input. " * any(curve.is_told for curve in curves),
        "Grey points: variants of other entries. " * any(chart.spots for chart in charts),
        "k = 1024.",
    ]
    return "".join(parts)


def _description(chart: Chart) -> str:
    """Return what a chart shows, for those who do not see it."""
    lines = ", ".join(f"{curve.label} {curve.score:.3f}" for curve in chart.curves) or "none"
    points = f" Points: variants of {chart.others} other entries." if chart.spots else ""
    return (
        f"{chart.title}. Quality from 0 to 1 against {chart.counted}, from 2^{chart.low:g} to "
        f"2^{chart.high:g}; up and left is better. Lines and their scores: {lines}.{points}"
    )
