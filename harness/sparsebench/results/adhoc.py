"""Variants whose settings came from the command line: for trying, never on a board.

The mark of such a row is its variant's name, which has characters that no name in a ``submission.toml`` can
have. It is part of the cell's identity: it cannot be left out, and no such row is taken for another's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ad_hoc_name", "is_ad_hoc"]

_MARKS = frozenset("+=")


def ad_hoc_name(variant: str, settings: Mapping[str, bool | float | str]) -> str:
    """Name a variant that has other settings than its manifest says: ``name+hidden=32``.

    Parameters
    ----------
    variant
        The manifest's name of it.
    settings
        What is set otherwise; in whichever order, the name is the same.
    """
    parts = [f"{key}={json.dumps(value)}" for key, value in sorted(settings.items())]
    return "+".join([variant, *parts])


def is_ad_hoc(variant: str) -> bool:
    """Say whether a variant of that name is in no manifest, because no manifest can name it so."""
    return not _MARKS.isdisjoint(variant)
