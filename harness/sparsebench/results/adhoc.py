"""Variants whose settings came from the command line: for trials, never on a board.

Such a row is recognised by its variant's name, which has characters that no name in a ``submission.toml`` can
have. The name is part of the cell's identity: it cannot be left out, and such a row is never confused with
another one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ad_hoc_name", "is_ad_hoc"]

_MARKS = frozenset("+=")


def ad_hoc_name(variant: str, settings: Mapping[str, bool | float | str]) -> str:
    """Return the name of a variant with other settings than in its manifest: ``name+hidden=32``.

    Parameters
    ----------
    variant
        Its name in the manifest.
    settings
        The changed settings; the name does not depend on their order.
    """
    parts = [f"{key}={json.dumps(value)}" for key, value in sorted(settings.items())]
    return "+".join([variant, *parts])


def is_ad_hoc(variant: str) -> bool:
    """Return whether no manifest can have a variant of that name."""
    return not _MARKS.isdisjoint(variant)
