"""Shapes in words, such as ``n[, k], d``: the names of an array's axes, and their lengths.

A shape is written as in docstrings: names of axes and commas. An axis in brackets may be missing: ``n[, k]``
is ``(n,)`` or ``(n, k)``. ``...`` stands for any axes, first or last. Axes of one name have the same length
in all arguments of a call.
"""

from __future__ import annotations

import itertools
import re
from typing import Any, NamedTuple

__all__ = ["ELLIPSIS", "Axes", "Mismatch", "Shape"]

ELLIPSIS = "..."

_Lengths = dict[str, Any]


class Mismatch(Exception):  # noqa: N818 - never leaves the parser
    """The error for a shape that does not fit."""


class Axes(NamedTuple):
    """One way to read a shape: the names of its axes, ``...`` at most once."""

    names: tuple[str, ...]
    missing: tuple[str, ...]
    """Axes in brackets that are not there."""


class Shape:
    """A shape in words.

    Parameters
    ----------
    words
        The notation of this module, without the outer parentheses; empty for an array without axes.
    """

    def __init__(self, words: str) -> None:
        self.words = words
        self._ways = _ways(words)
        self._by_axes = {len(way.names): way for way in self._ways if ELLIPSIS not in way.names}
        self._open = next((way for way in self._ways if ELLIPSIS in way.names), None)

    @property
    def first(self) -> str:
        """The name of the first axis; empty if there is none."""
        return self._ways[0].names[0] if self._ways[0].names else ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all axes, including those in brackets."""
        return self._ways[0].names

    @property
    def ways(self) -> tuple[Axes, ...]:
        """All ways to read it; the one with all axes is first."""
        return self._ways

    def measure(self, shape: tuple[int, ...], lengths: _Lengths, *, apart: bool = False) -> None:
        """Record the lengths of an array's axes.

        Parameters
        ----------
        shape
            The shape of the array.
        lengths
            The known lengths. A missing axis is recorded as -1, ``...`` as its lengths.
        apart
            Whether the axes at ``...`` belong to this array alone.

        Raises
        ------
        Mismatch
            If the number of axes is different, or an axis has another length than known.
        """
        way = self._by_axes.get(len(shape))
        if way is None:
            if self._open is None or len(shape) < len(self._open.names) - 1:
                raise Mismatch
            way, shape = self._open, _folded(self._open.names, shape)
            if apart:
                lengths.pop(ELLIPSIS, None)
        known = lengths.setdefault
        for name, length in zip(way.names, shape, strict=True):
            if known(name, length) != length:
                raise Mismatch
        for name in way.missing:
            if known(name, -1) != -1:
                raise Mismatch


def _folded(names: tuple[str, ...], shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Replace the axes at ``...`` by one item."""
    place = names.index(ELLIPSIS)
    stop = len(shape) - (len(names) - place - 1)
    return (*shape[:place], shape[place:stop], *shape[stop:])


def _ways(words: str) -> tuple[Axes, ...]:
    """Read a shape, with and without every axis in brackets."""
    optional = [name for group in re.findall(r"\[([^\]]*)\]", words) for name in _split(group)]
    every = _split(re.sub(r"[\[\]]", "", words))
    ways = []
    for left_out in itertools.product((False, True), repeat=len(optional)):
        missing = tuple(name for name, out in zip(optional, left_out, strict=True) if out)
        ways.append(Axes(tuple(name for name in every if name not in missing), missing))
    return tuple(ways)


def _split(words: str) -> list[str]:
    return [name.strip() for name in words.split(",") if name.strip()]
