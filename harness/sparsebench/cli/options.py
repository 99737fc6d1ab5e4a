"""Options that several verbs share, and their types."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sparsebench.cli.kinds import PathTo
from sparsebench.limits import LARGEST_SEED, LEAST, LONGEST, MOST

if TYPE_CHECKING:
    from collections.abc import Iterable

    _NamesType = click.ParamType[tuple[str, ...]]
    _SeedsType = click.ParamType[tuple[int, ...]]
    _SizeType = click.ParamType[int]
    _SecondsType = click.ParamType[float]
    _LengthType = click.ParamType[float]
else:  # older releases of click have no type parameter there
    _NamesType = _SeedsType = _SizeType = _SecondsType = _LengthType = click.ParamType

__all__ = ["Length", "Names", "Seconds", "Seeds", "Size", "output_option"]

_MOST_SEEDS = 10_000
_DIGITS = 20  # digits are enough to see that a number is too large
_PIXELS = {"px": 1.0, "pt": 96 / 72, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
_NARROWEST, _WIDEST = 2 * 96.0, 40 * 96.0  # pixels
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


class Names(_NamesType):
    """Names with commas between them."""

    name = "names"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,  # noqa: ARG002
    ) -> tuple[str, ...]:
        """Split at commas."""
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in str(value).split(",") if part.strip())


class Seeds(_SeedsType):
    """``5`` for the seeds 0 to 4, ``3-7`` for a range, ``0,2,9`` for a list."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Read any of the three forms; an error names the rule that is broken."""
        if isinstance(value, tuple):
            return value
        text = str(value).strip()
        try:
            return _seeds(text)
        except ValueError as error:
            return self.fail(f"expected {error}", param, ctx)


def _seeds(text: str) -> tuple[int, ...]:
    if re.fullmatch(r"[0-9]+", text):
        return _counted(int(text[:_DIGITS]), text)
    if found := re.fullmatch(r"([0-9]+)-([0-9]+)", text):
        _check_seeds(found.groups(), text)
        return _ranged(int(found[1]), int(found[2]), text)
    if re.fullmatch(r"[0-9]+(,[0-9]+)+,?|[0-9]+,", text):
        parts = [part for part in text.split(",") if part]
        _check_seeds(parts, text)
        return tuple(dict.fromkeys(map(int, parts)))
    raise ValueError(f"a number of seeds (5), a range (3-7) or a list (0,2,9), got {text!r}; try 5")


def _counted(number: int, text: str) -> tuple[int, ...]:
    if not number:
        raise ValueError(f"at least 1 seed, got {text!r}; 1 is seed 0 alone, and so is 0,")
    if number > _MOST_SEEDS:
        raise ValueError(f"at most {_MOST_SEEDS} seeds at once, got {text!r}; {text}, is that seed alone")
    return tuple(range(number))


def _ranged(first: int, last: int, text: str) -> tuple[int, ...]:
    if last < first:
        raise ValueError(f"a range from the smaller seed to the larger, got {text!r}; try {last}-{first}")
    if last - first >= _MOST_SEEDS:
        end = first + _MOST_SEEDS - 1
        raise ValueError(f"at most {_MOST_SEEDS} seeds at once, got {text!r}; {first}-{end} are so many")
    return tuple(range(first, last + 1))


def _check_seeds(parts: Iterable[str], text: str) -> None:
    if any(int(part[:_DIGITS]) > LARGEST_SEED for part in parts):
        raise ValueError(f"seeds of at most {LARGEST_SEED}, got {text!r}; give smaller ones")


class Size(_SizeType):
    """Bytes: ``512M``, ``4G``, ``4GiB`` or a plain number."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number and its unit."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]+)\s*([KMG]?)(i?B)?", str(value).strip(), flags=re.IGNORECASE)
        if not found or not int(found[1]):
            self.fail(
                f"expected a size such as 512M or 4G, got {value!r}; bare numbers are bytes", param, ctx
            )
        size = int(found[1]) * _UNITS[found[2].upper()]
        if size < LEAST:
            self.fail(f"expected at least 64M, which Python itself needs, got {value!r}; try 64M", param, ctx)
        if size > MOST:
            self.fail(f"expected at most {MOST >> 30:,}G, got {value!r}; 4G is the usual", param, ctx)
        return size


class Seconds(_SecondsType):
    """A length of time: a positive number."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number."""
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            self.fail(f"expected a positive number of seconds, got {value!r}; 600 is ten minutes", param, ctx)
        if seconds > LONGEST:
            self.fail(
                f"expected at most {LONGEST:,.0f} seconds, got {value!r}; 600 is ten minutes", param, ctx
            )
        return seconds


class Length(_LengthType):
    """The width of a picture in pixels, 96 an inch: ``3.4in``, ``86mm``, ``8.6cm``, ``245pt``, ``640px``."""

    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number and its unit."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(in|mm|cm|pt|px)", str(value).strip())
        if not found:
            self.fail(
                f"expected a width such as 3.4in, 86mm or 640px, got {value!r}; give a unit", param, ctx
            )
        pixels = float(found[1]) * _PIXELS[found[2]]
        if not _NARROWEST <= pixels <= _WIDEST:
            self.fail(f"expected a width from 2in to 40in, got {value!r}; 3.4in is one column", param, ctx)
        return pixels


output_option = click.option(
    "-o",
    "--output",
    type=PathTo(path_type=Path, file_okay=False),
    default=Path("sparsebench-results"),
    show_default=True,
    help="Directory of the result store.",
)
"""Where rows are."""
