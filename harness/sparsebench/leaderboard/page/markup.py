"""HTML and SVG from Python values: every text and every attribute is escaped, whoever it comes from."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sparsebench.leaderboard.escape import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

    Child = str | float | None
    Attribute = str | float | bool | None

__all__ = ["LONGEST", "Markup", "joined", "number", "shown", "tag"]

_EMPTY = frozenset({"br", "hr", "input", "link", "meta"})  # of HTML: they have no end tag
_DRAWN = frozenset({"path", "rect", "use"})  # of SVG: they may close themselves
# The end tags that HTML lets one leave out where such elements follow each other: a fifth of a table's size.
_UNCLOSED = frozenset({"li", "option", "tbody", "td", "th", "thead", "tr"})
LONGEST = 4000
"""Letters of a text, at most."""


class Markup(str):
    """A text that is markup: `tag` takes it over as it is, and escapes every other one."""

    __slots__ = ()


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element.

    Parameters
    ----------
    name
        Its name.
    *children
        `Markup`, or values that are escaped; None is nothing.
    **attributes
        A trailing underscore is dropped (``class_``), and others become hyphens (``data_entry``). None and
        False leave an attribute out, True gives it no value.
    """
    written = "".join(
        f" {_name(key)}" if value is True else f' {_name(key)}="{_text(value)}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    if not children and name not in _UNCLOSED:
        return Markup(f"<{name}{written}/>") if name in _DRAWN else Markup(f"<{name}{written}></{name}>")
    end = "" if name in _UNCLOSED else f"</{name}>"
    return Markup(f"<{name}{written}>{joined(children)}{end}")


def joined(children: Iterable[Child]) -> Markup:
    """Return children one after the other, escaped unless they are `Markup`."""
    return Markup("".join(_text(child) for child in children if child is not None))


def number(value: float, digits: int = 1) -> str:
    """Write a coordinate in as few letters as it takes: to a tenth, or as many digits after the point."""
    return f"{value:.{digits}f}".removesuffix(".0")


def shown(text: str) -> str:
    """Return a text as the page has it, before it is escaped: one line, without control characters.

    A script looks details up by names in this form, which attributes have.
    """
    return for_terminal(text, LONGEST)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _text(value: Child | Attribute) -> str:
    if isinstance(value, Markup):
        return value
    if isinstance(value, float):
        return number(value)
    return escape(shown(value) if isinstance(value, str) else str(value))
