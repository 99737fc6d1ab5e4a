"""Charts for a terminal: lines of Braille dots with letters along them; in ASCII, lines of their letters."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.axes import tick_label, ticks
from sparsebench.leaderboard.curves import within
from sparsebench.leaderboard.escape import for_terminal
from sparsebench.leaderboard.svg import Scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sparsebench.leaderboard.plotted import Chart, Curve

    _Part = tuple[str, int | None]

__all__ = ["BRAILLE", "draw_text"]

BRAILLE = "\u28ff\u2500\u2502\u2514\u252c\u00b7"
"""Letters that an encoding must have for charts in Braille."""

_KEYS = "abcdefgh"
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a Braille cell, by row and column
_COLOURS = (34, 31, 32, 35, 33, 36, 39, 90)  # of a terminal's own palette; 90 is grey
_GREY = 90
_GUTTER = 5  # for the numbers of the axis of quality
_NARROWEST, _LOWEST = 40, 6
_EVERY = 16  # columns from one letter of a line to its next
_LONGEST = 400


class _Cell(NamedTuple):
    """A character of the plot."""

    letter: str
    owner: int | None
    """Which line it is of; None for a point."""


class _Plot:
    """The inside of a chart: characters, made of 2 x 4 dots each or, in ASCII, of one."""

    def __init__(self, chart: Chart, columns: int, rows: int, *, plain: bool) -> None:
        self.chart, self.columns, self.rows, self.plain = chart, columns, rows, plain
        self.fine = (1, 1) if plain else (2, 4)
        self.across = Scale(chart.low, chart.high, 0.0, columns * self.fine[0] - 1.0)
        self.up = Scale(0.0, 1.0, rows * self.fine[1] - 1.0, 0.0)
        self.cells: dict[tuple[int, int], _Cell] = {}
        self.dots: dict[tuple[int, int], int] = {}
        self.passed: list[set[tuple[int, int]]] = [set() for _ in chart.curves]

    def draw(self) -> None:
        """Draw the points, then the lines, of which the best is above the others, and their letters."""
        for spot in self.chart.spots:
            column, row = round(self.across(spot.log2_ops)), round(self.up(spot.quality))
            place = (row // self.fine[1], column // self.fine[0])
            self.cells[place] = _Cell("." if self.plain else "\u00b7", None)
        for number, curve in reversed(list(enumerate(self.chart.curves))):
            self._line(number, curve)
        for number, curve in enumerate(self.chart.curves):
            self._letters(number, curve)

    def end(self, curve: Curve) -> int:
        """Return the row in which a line ends."""
        return round(self.up(self._steps(curve)[-1][1])) // self.fine[1]

    def _steps(self, curve: Curve) -> Sequence[tuple[float, float]]:
        return within(curve.steps, self.chart.low, self.chart.high)

    def _line(self, number: int, curve: Curve) -> None:
        places = [(round(self.across(cost)), round(self.up(quality))) for cost, quality in self._steps(curve)]
        floor = round(self.up(0.0))
        own: dict[tuple[int, int], int] = {}
        for (x, y), (after, below) in pairwise(places):
            level = [(each, y) for each in range(x, after + 1)] if y < floor else []
            rise = [(after, each) for each in range(min(y, below), max(y, below) + 1)] if below < y else []
            for column, row in level + rise:
                place = (row // self.fine[1], column // self.fine[0])
                own[place] = own.get(place, 0) | _DOTS[row % self.fine[1]][column % self.fine[0]]
        self.passed[number] = set(own)
        for place, dots in own.items():
            self.dots[place] = self.dots.get(place, 0) | dots
            letter = _KEYS[number] if self.plain else chr(0x2800 + self.dots[place])
            self.cells[place] = _Cell(letter, number)

    def _letters(self, number: int, curve: Curve) -> None:
        """Write a line's letter on it here and there, each line's at columns of its own."""
        steps = self._steps(curve)
        for column in range(2 + 2 * number, self.columns, _EVERY):
            budget = self.chart.low + (column + 0.5) / self.columns * (self.chart.high - self.chart.low)
            quality = max((quality for cost, quality in steps if cost <= budget), default=0.0)
            place = (round(self.up(quality)) // self.fine[1], column)
            if place in self.passed[number]:
                self.cells[place] = _Cell(_KEYS[number], number)

    def line(self, row: int, paint: _Paint) -> str:
        """Return a row as text."""
        return "".join(
            " " if (cell := self.cells.get((row, column))) is None else paint(cell.letter, cell.owner)
            for column in range(self.columns)
        )


class _Paint(NamedTuple):
    """Colours of a terminal, or none."""

    colours: Sequence[int]
    """Of each line; empty for none."""

    def __call__(self, letters: str, owner: int | None) -> str:
        if not self.colours:
            return letters
        return f"\x1b[{_GREY if owner is None else self.colours[owner]}m{letters}\x1b[0m"


def draw_text(
    chart: Chart, *, width: int = 80, height: int = 24, plain: bool = False, colour: bool = False
) -> str:
    """Draw a chart as lines of text.

    Parameters
    ----------
    chart
        The same chart makes the same text.
    width
        Columns; at least 40 are used.
    height
        Lines, as far as the title and the key leave room for a plot.
    plain
        Whether to use ASCII alone.
    colour
        Whether to colour the lines by escape sequences of terminals.
    """
    width = max(width, _NARROWEST)
    paint = _Paint(
        [_GREY if c.is_reference else _COLOURS[i] for i, c in enumerate(chart.curves)] if colour else []
    )
    title = wrap(for_terminal(chart.title, _LONGEST), width, break_on_hyphens=False)
    key = list(_key(chart, width, paint, plain=plain))
    counted = wrap(f"{chart.counted}; up: quality", width - _GUTTER - 1)
    rows = max(_LOWEST, height - len(title) - len(key) - len(counted) - 2)
    most = max((sum(1 for _ in same) for same in _ends(chart, rows, plain=plain).values()), default=0)
    plot = _Plot(chart, width - _GUTTER - 2 - most, rows, plain=plain)
    plot.draw()
    middle = [" " * max(0, _GUTTER + 1 + (plot.columns - len(line)) // 2) + line for line in counted]
    text = "\n".join([*title, *_body(plot, paint), *_axis(plot, width), *middle, *key])
    return text.encode("ascii", "replace").decode() if plain else text


def _ends(chart: Chart, rows: int, *, plain: bool) -> dict[int, list[int]]:
    """Return the lines that end in each row."""
    plot = _Plot(chart, 1, rows, plain=plain)
    ends: dict[int, list[int]] = {}
    for number, curve in enumerate(chart.curves):
        ends.setdefault(plot.end(curve), []).append(number)
    return ends


def _body(plot: _Plot, paint: _Paint) -> Iterator[str]:
    ends = _ends(plot.chart, plot.rows, plain=plot.plain)
    numbers = {0: "1", plot.rows - 1: "0", round((plot.rows - 1) / 2): "0.5"}
    edge = "|" if plot.plain else "\u2502"
    for row in range(plot.rows):
        letters = "".join(paint(_KEYS[number], number) for number in ends.get(row, []))
        yield f"{numbers.get(row, ''):>{_GUTTER - 1}} {edge}{plot.line(row, paint)}{edge}{letters}"


def _axis(plot: _Plot, width: int) -> Iterator[str]:
    """Yield the edge below, and its numbers."""
    chart = plot.chart
    line, mark, corner = ("-", "+", "+") if plot.plain else ("\u2500", "\u252c", "\u2514")
    edge, numbers = [line] * plot.columns, [" "] * width
    free = 0
    for each in ticks(
        chart.low, chart.high, plot.columns * 4.0
    ):  # 26 pixels of 4 a column: more than a number
        column = round(plot.across(each)) // plot.fine[0]
        edge[column] = mark
        label = tick_label(each)
        start = min(column + _GUTTER + 1 - len(label) // 2, width - len(label))
        if start >= free:
            numbers[start : start + len(label)] = label
            free = start + len(label) + 1
    yield f"{' ' * _GUTTER}{corner}{''.join(edge)}{line}"
    yield "".join(numbers).rstrip()


def _key(chart: Chart, width: int, paint: _Paint, *, plain: bool) -> Iterator[str]:
    """Yield which letter is which entry, with its score, as many as fit into a line."""
    others = "another entry" if chart.others == 1 else f"{chart.others} other entries"
    points = f"{'.' if plain else chr(0xB7)} variants of {others}"
    parts = [
        (f"{key} {_label(curve)} {curve.score:.3f}", number)
        for number, (key, curve) in enumerate(zip(_KEYS, chart.curves, strict=False))
    ]
    rest: list[_Part] = [*parts, *([(points, None)] if chart.spots else [])]
    wide = min(max((len(words) for words, _ in rest), default=0) + 2, width)
    for some in _batches(rest, max(1, width // wide if wide else 1)):
        yield "".join(paint(words[:1], owner) + words[1:].ljust(wide - 1) for words, owner in some).rstrip()


def _label(curve: Curve) -> str:
    return for_terminal(curve.label, 40) + " (dense)" * curve.is_reference


def _batches(parts: Sequence[_Part], size: int) -> Iterable[Sequence[_Part]]:
    return (parts[start : start + size] for start in range(0, len(parts), size))
