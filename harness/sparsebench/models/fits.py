"""Variants that take the fit of another variant: checks of the ones that ``submission.toml`` names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sparsebench.models.manifest import Variant

__all__ = ["faults_of_fits"]


def faults_of_fits(variants: Sequence[Variant], text: str) -> Iterator[str]:
    """Yield the faults of the fits that variants name: the line, the key, what was expected and got.

    Parameters
    ----------
    variants
        All of a submission.
    text
        The file that they are from.
    """
    named = {variant.name: variant for variant in variants}
    own = [variant.name for variant in variants if variant.fit is None]
    for number, variant in enumerate(variants):
        if variant.fit is None:
            continue
        place = f"{_line(text, number)}variants.{number}.fit"
        expected = f"expected a variant with a fit of its own, one of {', '.join(own) or 'none here'}"
        other = named.get(variant.fit)
        if variant.fit == variant.name:
            yield f"{place}: {expected}, got {variant.fit!r}, the variant itself"
        elif other is None:
            yield f"{place}: {expected}, got {variant.fit!r}, which is none"
        elif other.fit is not None:
            yield f"{place}: {expected}, got {variant.fit!r}, which itself takes the fit of {other.fit!r}"


def _line(text: str, number: int) -> str:
    """Return the line of a variant's key ``fit``; empty if the key is written in another way."""
    tables = -1
    for place, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[", line):
            tables += bool(re.match(r"\s*\[\[\s*variants\s*\]\]", line))
        elif tables == number and re.match(r"\s*[\"']?fit[\"']?\s*=", line):
            return f"line {place}: "
    return ""
