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
from sparsebench.leaderboard.page.markup import Markup, number, tag
from sparsebench.leaderboard.svg import apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sparsebench.leaderboard.board import BoardTask, Steps

__all__ = ["Drawn", "Mark", "Plane", "large_chart", "small_chart"]

_GAP = 13.0  # between the baselines of two labels


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
        written = [f"M{number(self.x(start[0]))} {number(self.y(0.0))}"]
        for cost, quality in steps[steps.index(start) :]:
            written.append(f"H{number(self.x(cost))}V{number(self.y(quality))}")
        return "".join(written)


class Drawn(NamedTuple):
    """A curve with a label."""

    name: str
    """The entry's."""
    number: int
    """Which colour and which dashes it has."""
    curve: Steps
    """By all operations."""
    free: Steps
    """By the paper's price, which leaves the router out."""
    is_reference: bool = False
    """Whether others are compared with it: it is grey, and dashed."""


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
    log2_ops: float
    """log2 of the operations per input that pay for all of its cells."""
    log2_free: float
    """The same without the router."""
    quality: float
    """What they buy, in [0, 1]: the mean over the instances."""
    colour: int | None
    """That of its entry's curve; None where it has none."""


def large_chart(
    plane: Plane,
    curves: Sequence[Drawn],
    marks: Iterable[Mark],
    theory: Steps,
    *,
    named: str,
    told: str,
) -> Markup:
    """Draw a task.

    Parameters
    ----------
    plane
        The picture's plane.
    curves
        The curves with labels, at most eight.
    marks
        All variants, in reading order.
    theory
        What is known to be enough; without steps, nothing is.
    named, told
        What the picture is called, and a description in words.
    """
    right = 168.0
    size = (plane.left + plane.width + right, plane.top + plane.height + 44.0)
    return tag(
        "svg",
        tag("title", named),
        tag("desc", told),
        _frame(plane),
        _theory(plane, theory),
        tag("g", *(_line(plane, each, each.curve) for each in curves), class_="lines all"),
        tag("g", *(_line(plane, each, each.free) for each in curves), class_="lines free"),
        tag("g", *_gaps(plane, marks := list(marks)), class_="gaps"),
        tag("g", *(_mark(plane, mark) for mark in marks), class_="marks"),
        _labels(plane, curves, price="all"),
        _labels(plane, curves, price="free"),
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
        _theory(plane, theory),
        tag("g", *(_line(plane, each, each.curve) for each in curves), class_="lines all"),
        tag("g", *(_line(plane, each, each.free) for each in curves), class_="lines free"),
        *(
            tag("text", tick_label(end), x=plane.x(end), y=below, class_=f"tick {side}")
            for end, side in zip(ends, ("first", "last"), strict=True)
        ),
        class_="small",
        viewBox=f"0 0 {number(size[0])} {number(size[1])}",
        role="img",
        aria_label=named,
    )


def _frame(plane: Plane) -> Markup:
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
    axis = "active operations per input, log scale"
    parts.append(tag("text", axis, x=plane.left + plane.width / 2, y=bottom + 36.0, class_="axis x"))
    turned = f"rotate(-90 12 {number(plane.top + plane.height / 2)})"
    parts.append(
        tag("text", "quality", x=12.0, y=plane.top + plane.height / 2, class_="axis", transform=turned)
    )
    parts.append(tag("text", "↖ better", x=plane.left + 8.0, y=plane.top + 16.0, class_="better"))
    return tag("g", *parts, class_="frame", aria_hidden="true")


def _theory(plane: Plane, theory: Steps) -> Markup | None:
    path = plane.path(theory)
    return tag("path", d=path, class_="theory") if path else None


def _line(plane: Plane, drawn: Drawn, curve: Steps) -> Markup | None:
    path = plane.path(curve)
    colour = "reference" if drawn.is_reference else f"s{drawn.number}"
    return tag("path", d=path, class_=f"line {colour}", data_name=drawn.name) if path else None


def _gaps(plane: Plane, marks: Sequence[Mark]) -> Iterator[Markup]:
    """Draw how far the paper's price moves variants."""
    for mark in marks:
        here, there = plane.x(mark.log2_ops), plane.x(mark.log2_free)
        if here - there >= 1.0:
            y = plane.y(mark.quality)
            yield tag(
                "path",
                d=f"M{number(here)} {number(y)}H{number(there)}",
                class_=_colour(mark),
                data_e=mark.entry,
            )


def _mark(plane: Plane, mark: Mark) -> Markup:
    """Draw a variant: a link to its row."""
    there = number(plane.x(mark.log2_free))
    place = f"translate({number(plane.x(mark.log2_ops))} {number(plane.y(mark.quality))})"
    shape = tag("use", href=f"#k-{mark.kind}", transform=place, class_=_colour(mark))
    return tag("a", shape, href=f"#{mark.row}", aria_label=mark.told, data_e=mark.entry, data_x=there)


def _colour(mark: Mark) -> str:
    return "other" if mark.colour is None else f"s{mark.colour}"


def _labels(plane: Plane, curves: Sequence[Drawn], *, price: str) -> Markup:
    """Write the names at the ends of the curves, none over another."""
    ends = [
        (plane.y(within(curve, plane.task.log2_ops_low, plane.task.log2_ops_high)[-1][1]), each)
        for each in curves
        for curve in [each.free if price == "free" else each.curve]
    ]
    edge = plane.left + plane.width
    written = []
    places = apart([end for end, _ in ends], _GAP, plane.top + 4.0, plane.top + plane.height)
    for at, (end, each) in zip(places, ends, strict=True):
        colour = "reference" if each.is_reference else f"s{each.number}"
        leader = f"M{number(edge)} {number(end)}L{number(edge + 14.0)} {number(at)}h6"
        written.append(tag("path", d=leader, class_=f"line {colour}"))
        written.append(
            tag("text", each.name, x=edge + 24.0, y=at + 4.0, class_=f"label {colour}", data_name=each.name)
        )
    return tag("g", *written, class_=f"labels {price}", aria_hidden="true")
