"""Parts of an SVG picture: elements, numbers, lines of text, places of labels.

The same arguments make the same bytes. Texts come from strangers: they are escaped, and cut to one line. A
picture refers to nothing outside itself, fonts included, so the widths of texts are estimates: those of a
wide font (DejaVu Sans), which the usual ones do not exceed.
"""

from __future__ import annotations

import unicodedata
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.escape import for_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "DIM",
    "LABEL",
    "SMALL",
    "TITLE",
    "Scale",
    "apart",
    "element",
    "number",
    "shortened",
    "text",
    "text_width",
    "words",
    "wrapped",
]

TITLE, LABEL, SMALL = 10.0, 9.0, 8.0
"""Sizes of fonts, in pixels."""

DIM = "#6e6e6e"
"""The colour of what is read last, dark enough for small letters."""

_INK = "#222222"

_WIDTHS = {
    character: width
    for width, characters in (
        (0.32, "'ijlIJ ,."),
        (0.43, "/:;\\|f-()[]tr!"),
        (0.54, '"*_`sz?'),
        (0.64, "cLFkvxyPTYoaeEhnuSbdgpq$0123456789{}"),
        (0.79, "KAVXZBRCUNHDG&OQ"),
        (0.87, "w#+<=>^~M"),
        (1.0, "%mW@"),
    )
    for character in characters
}
_OTHER = 0.87  # letters outside ASCII
_LONGEST = 4000  # letters of a description


class Scale(NamedTuple):
    """A linear map from numbers to places in a picture."""

    low: float
    """The number at the first place."""
    high: float
    """The number at the last place."""
    first: float
    """The place of ``low``, in pixels."""
    last: float
    """The place of ``high``."""

    def __call__(self, value: float) -> float:
        """Return the place of a number."""
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)


def number(value: float) -> str:
    """Return a length as SVG has it: two digits after the point at most, never an exponent."""
    digits = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def element(name: str, *children: str, **attributes: str | float) -> str:
    """Return an element.

    Parameters
    ----------
    name
        Its name.
    *children
        Elements and escaped texts, one a line.
    **attributes
        In this order; ``stroke_width`` is ``stroke-width``, and ``class_`` is ``class``.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items()
    )
    if not children:
        return f"<{name}{told}/>"
    if len(children) == 1 and not children[0].startswith("<"):
        return f"<{name}{told}>{children[0]}</{name}>"
    return "\n".join([f"<{name}{told}>", *children, f"</{name}>"])


def _value(value: str | float) -> str:
    return text(value) if isinstance(value, str) else number(value)


def text(line: str) -> str:
    """Return a text for use between tags or in an attribute: one line, without markup."""
    return escape(for_terminal(line, _LONGEST))


def words(line: str, x: float, y: float, size: float, **attributes: str | float) -> str:
    """Return a line of text; its baseline is at y."""
    fill = attributes.pop("fill", _INK)
    return element("text", text(line), x=x, y=y, font_size=size, fill=fill, **attributes)


def text_width(line: str, size: float) -> float:
    """Return how wide a line of text is at most, in pixels.

    Parameters
    ----------
    line
        The text, not escaped.
    size
        The font's size, in pixels.
    """
    return size * sum(map(_width, line))


def _width(character: str) -> float:
    if character in _WIDTHS:
        return _WIDTHS[character]
    if unicodedata.combining(character):
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else _OTHER


def shortened(line: str, width: float, size: float) -> str:
    """Return a text that fits into a width, cut with an ellipsis where it does not fit."""
    line = for_terminal(line, _LONGEST)
    if text_width(line, size) <= width:
        return line
    while line and text_width(f"{line}…", size) > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def wrapped(line: str, width: float, size: float, *, most: int = 4) -> list[str]:
    """Return a text as lines that fit into a width; words that are too long are cut, and so is the last line.

    Parameters
    ----------
    line
        The text.
    width
        Of a line, in pixels.
    size
        The font's size, in pixels.
    most
        How many lines.
    """
    lines: list[str] = []
    for word in for_terminal(line, _LONGEST).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (text_width(longer, size) <= width or len(lines) == most):
            lines[-1] = longer
        else:
            lines.append(word)
    return [shortened(line, width, size) for line in lines]


def apart(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move places apart until neighbours have a gap between them, as little as possible.

    The sum of squared moves is the least that keeps the order (a regression on monotone places, by pooling
    neighbours), within the limits where there is room for all.

    Parameters
    ----------
    wanted
        The places, in any order.
    gap
        The least distance.
    low, high
        The limits of the places.

    Returns
    -------
    list of float
        In the order of ``wanted``.
    """
    order = sorted(range(len(wanted)), key=lambda each: (wanted[each], each))
    groups: list[list[float]] = []  # [sum of the places less their gaps, how many]
    for place, each in enumerate(order):
        groups.append([wanted[each] - place * gap, 1])
        while len(groups) > 1 and _mean(groups[-2]) >= _mean(groups[-1]):
            total, count = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += count
    most = high - (len(wanted) - 1) * gap
    flat = [max(low, min(most, _mean(group))) for group in groups for _ in range(int(group[1]))]
    moved = dict(zip(order, (base + place * gap for place, base in enumerate(flat)), strict=True))
    return [moved[each] for each in range(len(wanted))]


def _mean(group: Sequence[float]) -> float:
    return group[0] / group[1]
