"""Options that several verbs share, and their types."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    _NamesType = click.ParamType[tuple[str, ...]]
    _SeedsType = click.ParamType[tuple[int, ...]]
    _SizeType = click.ParamType[int]
    _SecondsType = click.ParamType[float]
else:  # older releases of click have no type parameter there
    _NamesType = _SeedsType = _SizeType = _SecondsType = click.ParamType

__all__ = ["Names", "Seconds", "Seeds", "Size", "output_option"]

_LEAST = 64 << 20  # bytes
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
        """Read any of the three forms."""
        text = str(value).strip()
        if re.fullmatch(r"[1-9][0-9]{0,3}", text):
            return tuple(range(int(text)))
        if found := re.fullmatch(r"([0-9]{1,9})-([0-9]{1,9})", text):
            first, last = int(found[1]), int(found[2])
            if first <= last < first + 10_000:
                return tuple(range(first, last + 1))
        if re.fullmatch(r"[0-9]{1,9}(,[0-9]{1,9})+,?|[0-9]{1,9},", text):
            return tuple(dict.fromkeys(int(part) for part in text.split(",") if part))
        wanted = "a number of seeds (5), a range (3-7) or a list (0,2,9)"
        return self.fail(f"expected {wanted}, got {text!r}", param, ctx)


class Size(_SizeType):
    """Bytes: ``512M``, ``4G``, ``4GiB`` or a plain number."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number and its unit."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]+)\s*([KMG]?)(i?B)?", str(value).strip(), flags=re.IGNORECASE)
        if not found or not int(found[1]):
            self.fail(f"expected a size such as 512M or 4G, got {value!r}", param, ctx)
        size = int(found[1]) * _UNITS[found[2].upper()]
        if size < _LEAST:
            self.fail(f"expected at least 64M, which Python itself needs, got {value!r}", param, ctx)
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
            self.fail(f"expected a positive number of seconds, got {value!r}", param, ctx)
        return seconds


output_option = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("sparsebench-results"),
    show_default=True,
    help="Directory of the result store.",
)
"""Where rows are."""
