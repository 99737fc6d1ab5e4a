"""A plot as SVG: lines with markers, and their names at the right; readable in grey."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.line_styles import STYLES, marks, stroke
from sparsebench.leaderboard.svg import (
    DIM,
    LABEL,
    SMALL,
    TITLE,
    Scale,
    apart,
    element,
    number,
    shortened,
    text,
    words,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sparsebench.studies.records import Line, Plot

__all__ = ["axis_of", "draw"]

_WIDTH, _HEIGHT = 430.0, 262.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 118.0, 34.0, 38.0
_MOST_MARKS = 40  # of a line: more run into each other
_FAINT = "#e4e4e4"
_TICKS = 6


class Axis(NamedTuple):
    """An axis: what its numbers are mapped by, and where its ticks are."""

    low: float
    """The least number, or its logarithm."""
    high: float
    ticks: tuple[tuple[float, str], ...]
    """Places as ``low`` is one, and what is written there."""
    base: float | None
    """Of the logarithm; None where it is linear."""

    def place(self, value: float) -> float:
        """Return a number as the axis takes it."""
        return value if self.base is None else math.log(value, self.base)


def axis_of(values: Sequence[float], base: float | None = None) -> Axis:
    """Return an axis that holds some numbers, with a few round ones written at it.

    Parameters
    ----------
    values
        At least one number; positive ones where there is a base.
    base
        2 or 10 for a logarithmic axis.
    """
    if base is None:
        low, high = min(values), max(values)
        step = _round_step((high - low) or abs(high) or 1.0)
        first, last = math.floor(low / step), math.ceil(high / step)
        last += first == last
        digits = max(0, -math.floor(math.log10(step)))
        told = tuple((n * step, f"{n * step:,.{digits}f}") for n in range(first, last + 1))
        return Axis(first * step, last * step, told, None)
    powers = [math.log(value, base) for value in values]
    first, last = math.floor(min(powers) + 1e-9), math.ceil(max(powers) - 1e-9)
    last += first == last
    every = -(-(last - first) // _TICKS)
    told = tuple((float(p), _power(base, p)) for p in range(first, last + 1, every))
    return Axis(float(first), float(last), told, base)


def _round_step(span: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten that divides a span into few parts."""
    rough = span / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= rough)


def _power(base: float, exponent: int) -> str:
    value = base**exponent
    return f"{value:,g}" if 1e-3 <= value < 1e6 else f"{base:g}^{exponent}"  # noqa: PLR2004


def draw(plot: Plot) -> str:
    """Return a plot as an SVG document. The same plot gives the same text."""
    points = list(chain.from_iterable(line.points for line in plot.lines))
    across = axis_of([x for x, _ in points], 2.0 if plot.log_across else None)
    up = axis_of([y for _, y in points], 10.0 if plot.log_up else None)
    x = Scale(across.low, across.high, _LEFT, _WIDTH - _RIGHT)
    y = Scale(up.low, up.high, _HEIGHT - _BOTTOM, _TOP)
    parts = [
        element("title", text(plot.title)),
        element("rect", width=_WIDTH, height=_HEIGHT, fill="#ffffff"),
        *(
            words(line, 8.0, 14.0 + 11.0 * n, TITLE, font_weight="bold")
            for n, line in enumerate(wrapped(plot.title, _WIDTH - 16.0, TITLE, most=2))
        ),
        *_axes(plot, across, up, x, y),
        *_lines(plot.lines, across, up, x, y),
    ]
    return (
        element(
            "svg",
            *parts,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {number(_WIDTH)} {number(_HEIGHT)}",
            width=_WIDTH,
            height=_HEIGHT,
            role="img",
            font_family="DejaVu Sans, Verdana, sans-serif",
        )
        + "\n"
    )


def _axes(plot: Plot, across: Axis, up: Axis, x: Scale, y: Scale) -> Iterator[str]:
    grid = "".join(f"M{number(x(at))} {number(y.last)}V{number(y.first)}" for at, _ in across.ticks)
    grid += "".join(f"M{number(x.first)} {number(y(at))}H{number(x.last)}" for at, _ in up.ticks)
    yield element("path", d=grid, fill="none", stroke=_FAINT, stroke_width=0.7)
    frame = f"M{number(x.first)} {number(y.last)}V{number(y.first)}H{number(x.last)}"
    yield element("path", d=frame, fill="none", stroke=DIM, stroke_width=0.8)
    for at, label in across.ticks:
        yield words(label, x(at), y.first + 12.0, SMALL, text_anchor="middle")
    for at, label in up.ticks:
        yield words(label, x.first - 5.0, y(at) + 3.0, SMALL, text_anchor="end")
    yield words(plot.across, (x.first + x.last) / 2, y.first + 27.0, LABEL, text_anchor="middle")
    middle = (y.first + y.last) / 2
    turn = f"rotate(-90 10 {number(middle)})"
    yield words(plot.up, 10.0, middle, LABEL, text_anchor="middle", transform=turn)


def _lines(lines: Sequence[Line], across: Axis, up: Axis, x: Scale, y: Scale) -> Iterator[str]:
    ends = []
    for line, style in zip(lines, STYLES, strict=False):
        places = [(x(across.place(a)), y(up.place(b))) for a, b in line.points]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        yield stroke(path, style, "sb-line")
        if len(places) <= _MOST_MARKS:
            yield marks(places, style)
        ends.append(places[-1][1])
    labels = apart([end + 3.0 for end in ends], 11.0, y.last + 6.0, y.first)
    for line, style, at in zip(lines, STYLES, labels, strict=False):
        name = shortened(line.name, _RIGHT - 10.0, LABEL)
        yield words(name, x.last + 8.0, at, LABEL, fill=style.colour)
