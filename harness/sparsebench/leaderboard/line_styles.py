"""How lines look: a colour, a dash and a marker each, no two alike in a chart.

Colours are those of Okabe and Ito (2008), without yellow, which is too light for a line. Dashes and markers
differ too: nothing depends on colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.svg import DIM, element, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparsebench.leaderboard.plotted import Chart

__all__ = ["STYLES", "Style", "marks", "sample", "stroke", "styles_of"]


class Style(NamedTuple):
    """How a line looks."""

    colour: str
    dash: str
    """Lengths of dashes and gaps; empty for a solid line."""
    marker: str
    """The marker's path, from the middle of it."""


STYLES = (
    Style("#0072b2", "", "m-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0z"),
    Style("#d55e00", "7 2", "m-2.3 -2.3h4.6v4.6h-4.6z"),
    Style("#009e73", "2 1.5", "m0 -3.2l3 5.4h-6z"),
    Style("#cc79a7", "8 2 2 2", "m0 -3.4l3.4 3.4l-3.4 3.4l-3.4 -3.4z"),
    Style("#e69f00", "4 1.5", "m0 3.2l3 -5.4h-6z"),
    Style("#56b4e9", "11 2", "m-3 0h6m-3 -3v6"),
    Style("#000000", "8 2 2 2 2 2", "m-2.4 -2.4l4.8 4.8m0 -4.8l-4.8 4.8"),
)
"""Those of lines, in the order in which they are taken."""

_DENSE = Style(DIM, "5 3", "m-2.6 -1.2h5.2v2.4h-5.2z")
_SPARE = Style(DIM, "", "m-2.4 0h4.8")  # of an eighth line where none is the dense reference


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
    free = [style for style in STYLES if style not in taken.values()]
    return min(free, key=used.count, default=_SPARE)


def sample(style: Style, x: float, y: float) -> str:
    """Return a piece of a line with its marker, as a key shows it: 22 pixels wide."""
    return element(
        "g",
        stroke(f"M{number(x)} {number(y)}h22", style, "sb-line"),
        marks([(x + 11.0, y)], style),
        class_="sb-sample",
    )


def stroke(path: str, style: Style, kind: str) -> str:
    """Return a line along a path, of a class."""
    dash = {"stroke_dasharray": style.dash} if style.dash else {}
    return element("path", class_=kind, d=path, fill="none", stroke=style.colour, stroke_width=1.5, **dash)


def marks(places: Sequence[tuple[float, float]], style: Style) -> str:
    """Return markers at some places."""
    path = "".join(f"M{number(x)} {number(y)}{style.marker}" for x, y in places)
    return element(
        "path", class_="sb-marks", d=path, fill=style.colour, stroke=style.colour, stroke_width=1.1
    )
