"""A task's chart as SVG: quality against log2 of operations per input, up and left is better.

Curves are the pooled budget curves of :mod:`sparsebench.leaderboard.curves`: the area under one, in the box
that is drawn, is the entry's score. Marks are variants: the ends of their own curves. Everything is in the
document before a script runs; a script only adds what answers to a pointer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.axes import tick_label, ticks
from sparsebench.leaderboard.curves import within
from sparsebench.leaderboard.page.markup import Markup, joined, number, tag
from sparsebench.leaderboard.svg import apart, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sparsebench.leaderboard.board import BoardTask, Steps

__all__ = ["PRICES", "Drawn", "Known", "Mark", "Plane", "large_chart", "small_chart"]

_GAP = 13.0  # between the baselines of two labels
_RIGHT, _LABEL = 168.0, 140.0  # beside the box: all of it, and a label's part
_FONT = 12.0  # of labels
PRICES = ("all", "free")
"""What counts: all operations, or the paper's price, which leaves the router out; the page shows one."""


@dataclass(frozen=True)
class Plane:
    """Where budgets and qualities are in a picture."""

    task: BoardTask
    """Its box is the plane's."""
    width: float
    """Of the box, in pixels."""
    height: float
    """Of the box."""
    left: float = 46.0
    """What is left of the box."""
    top: float = 14.0
    """What is above it."""
    digits: int = 1
    """Of coordinates in curves, after the point."""

    def holds(self, log2_ops: float) -> bool:
        """Return whether a budget is within the box."""
        return self.task.log2_ops_low <= log2_ops <= self.task.log2_ops_high

    def x(self, log2_ops: float) -> float:
        """Return the place of a budget; one outside the box is at its edge."""
        low, high = self.task.log2_ops_low, self.task.log2_ops_high
        share = (min(max(log2_ops, low), high) - low) / (high - low)
        return self.left + self.width * share

    def y(self, quality: float) -> float:
        """Return the place of a quality."""
        return self.top + self.height * (1.0 - min(max(quality, 0.0), 1.0))

    def path(self, curve: Steps) -> str:
        """Return a curve as the data of an SVG path: stairs, from the first budget that buys something."""
        steps = within(curve, self.task.log2_ops_low, self.task.log2_ops_high)
        start = next((step for step in steps if step[1] > 0.0), None)
        if start is None:
            return ""
        written = [f"M{self._at(self.x(start[0]))} {self._at(self.y(0.0))}"]
        for cost, quality in steps[steps.index(start) :]:
            written.append(f"H{self._at(self.x(cost))}V{self._at(self.y(quality))}")
        return "".join(written)

    def _at(self, value: float) -> str:
        return number(value, self.digits)


class Drawn(NamedTuple):
    """An entry's curve."""

    entry: int
    """The number of the entry on the page."""
    label: str
    """What it is called."""
    style: str
    """Its class: ``s0`` ... ``s7`` are colours with dashes; ``reference`` and ``told`` are grey."""
    curves: tuple[Steps, Steps]
    """By each of `PRICES`."""


class Mark(NamedTuple):
    """A variant of an entry."""

    entry: int
    """The number of its entry on the page."""
    kind: str
    """One of :data:`sparsebench.leaderboard.page.kinds.KINDS`."""
    row: str
    """The id of its row in the table of variants."""
    told: str
    """What it is called: the entry, the variant, what is drawn."""
    log2_ops: tuple[float, float]
    """log2 of the operations per input that pay for all of its cells, by each of `PRICES`."""
    quality: float
    """What they buy, in [0, 1]: the mean over the instances."""
    style: str
    """The class of its entry's curve; ``other`` where it has none."""


class Known(NamedTuple):
    """What is drawn behind the entries."""

    fronts: tuple[Steps, Steps]
    """The most that any ranked entry buys, by each of `PRICES`."""
    theory: Steps
    """What is known to be enough; without steps, nothing is."""
    counted: tuple[str, str]
    """What the axis of costs counts, by each of `PRICES`."""


def large_chart(
    plane: Plane, curves: Sequence[Drawn], marks: Sequence[Mark], known: Known, *, named: str, told: str
) -> Markup:
    """Draw a task.

    Parameters
    ----------
    plane
        The picture's plane.
    curves
        The curves with labels, at most eight.
    marks
        All variants, in the order of the table's rows, which is the one that they are read in.
    known
        What is behind them.
    named, told
        What the picture is called, and a description in words.
    """
    size = (plane.left + plane.width + _RIGHT, plane.top + plane.height + 44.0)
    return tag(
        "svg",
        tag("title", named),
        tag("desc", told),
        _frame(plane, known.counted),
        *_priced("front", [plane.path(front) for front in known.fronts]),
        _theory(plane, known.theory, "known to be enough"),
        tag("g", *_lines(plane, curves), class_="lines"),
        # What a mark leaves behind when the router is left out: a ghost, and the way from it.
        tag("g", *_gaps(plane, marks), class_="gaps", marker_start="url(#ghost)"),
        tag("g", *(_mark(plane, mark) for mark in marks), class_="marks"),
        *(_labels(plane, curves, n) for n in range(len(PRICES))),
        class_="chart",
        viewBox=f"0 0 {number(size[0])} {number(size[1])}",
        role="group",
        aria_label=named,
    )


def small_chart(plane: Plane, curves: Sequence[Drawn], theory: Steps, *, named: str) -> Markup:
    """Draw one instance: curves without labels, which have the colours of the large chart's."""
    size = (plane.left + plane.width + 6.0, plane.top + plane.height + 16.0)
    ends = (plane.task.log2_ops_low, plane.task.log2_ops_high)
    below = plane.top + plane.height + 12.0
    return tag(
        "svg",
        tag("rect", x=plane.left, y=plane.top, width=plane.width, height=plane.height, class_="box"),
        _theory(plane, theory, None),
        tag("g", *_lines(plane, curves), class_="lines"),
        *(
            tag("text", tick_label(end), x=plane.x(end), y=below, class_=f"tick {side}")
            for end, side in zip(ends, ("first", "last"), strict=True)
        ),
        class_="small",
        viewBox=f"0 0 {number(size[0])} {number(size[1])}",
        role="img",
        aria_label=named,
    )


def _frame(plane: Plane, counted: Sequence[str]) -> Markup:
    """Draw the box, its ticks, and what the axes are."""
    bottom, right = plane.top + plane.height, plane.left + plane.width
    parts: list[Markup] = []
    for power in ticks(plane.task.log2_ops_low, plane.task.log2_ops_high, plane.width):
        x = plane.x(power)
        parts.append(tag("path", d=f"M{number(x)} {number(plane.top)}V{number(bottom)}", class_="grid"))
        parts.append(tag("text", tick_label(power), x=x, y=bottom + 16.0, class_="tick x"))
    for tenth in range(0, 11, 2):
        y = plane.y(tenth / 10)
        parts.append(tag("path", d=f"M{number(plane.left)} {number(y)}H{number(right)}", class_="grid"))
        parts.append(tag("text", f"{tenth / 10:.1f}", x=plane.left - 7.0, y=y + 4.0, class_="tick y"))
    parts.append(tag("rect", x=plane.left, y=plane.top, width=plane.width, height=plane.height, class_="box"))
    for price, what in zip(PRICES, counted, strict=True):
        middle = plane.left + plane.width / 2
        parts.append(tag("text", f"{what}, log scale", x=middle, y=bottom + 36.0, class_=f"axis x {price}"))
    turned = f"rotate(-90 12 {number(plane.top + plane.height / 2)})"
    parts.append(
        tag("text", "quality", x=12.0, y=plane.top + plane.height / 2, class_="axis", transform=turned)
    )
    parts.append(tag("text", "↖ better", x=plane.left + 8.0, y=plane.top + 16.0, class_="better"))
    return tag("g", *parts, class_="frame", aria_hidden="true")


def _theory(plane: Plane, theory: Steps, called: str | None) -> Markup | None:
    path = plane.path(theory)
    if not path:
        return None
    line = tag("path", d=path, class_="theory")
    if called is None:
        return line
    start = plane.x(theory[-1][0])
    side = "last" if start > plane.left + plane.width / 2 else "first"
    at = start - 5.0 if side == "last" else start + 5.0
    return joined([line, tag("text", called, x=at, y=plane.y(1.0) + 12.0, class_=f"tick {side}")])


def _lines(plane: Plane, curves: Sequence[Drawn]) -> Iterator[Markup]:
    for drawn in curves:
        paths = [plane.path(curve) for curve in drawn.curves]
        yield from _priced(f"line {drawn.style}", paths, data_e=drawn.entry)


def _priced(class_: str, paths: Sequence[str], **attributes: int) -> Iterator[Markup]:
    """Draw a path for each price; one that both share is drawn once."""
    if len(set(paths)) == 1:
        paths, classes = paths[:1], [class_]
    else:
        classes = [f"{class_} {price}" for price in PRICES]
    for path, each in zip(paths, classes, strict=True):
        if path:
            yield tag("path", d=path, class_=each, **attributes)


def _gaps(plane: Plane, marks: Sequence[Mark]) -> Iterator[Markup]:
    """Draw how far the paper's price moves variants."""
    for mark in marks:
        here, there = map(plane.x, mark.log2_ops)
        if here - there >= 1.0:
            path = f"M{number(here)} {number(plane.y(mark.quality))}H{number(there)}"
            yield tag("path", d=path, class_=mark.style, data_e=mark.entry)


def _mark(plane: Plane, mark: Mark) -> Markup:
    """Draw a variant: a link to its row."""
    here, there = (number(plane.x(each)) for each in mark.log2_ops)
    y = number(plane.y(mark.quality))
    shape = tag("use", href=f"#k-{mark.kind}", x=here, y=y, class_=mark.style)
    moves = there if there != here else None
    return tag("a", shape, href=f"#{mark.row}", aria_label=mark.told, data_e=mark.entry, data_x=moves)


def _labels(plane: Plane, curves: Sequence[Drawn], price: int) -> Markup:
    """Write the names at the ends of the curves, none over another."""
    low, high = plane.task.log2_ops_low, plane.task.log2_ops_high
    ends = [plane.y(within(each.curves[price], low, high)[-1][1]) for each in curves]
    edge = plane.left + plane.width
    written = []
    places = apart(ends, _GAP, plane.top + 4.0, plane.top + plane.height)
    for at, end, each in zip(places, ends, curves, strict=True):
        leader = f"M{number(edge)} {number(end)}L{number(edge + 14.0)} {number(at)}h6"
        name = shortened(each.label, _LABEL, _FONT)
        written.append(tag("path", d=leader, class_=f"line {each.style}", data_e=each.entry))
        written.append(
            tag("text", name, x=edge + 24.0, y=at + 4.0, class_=f"label {each.style}", data_e=each.entry)
        )
    return tag("g", *written, class_=f"labels {PRICES[price]}", aria_hidden="true")
