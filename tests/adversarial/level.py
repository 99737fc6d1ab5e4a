"""The level of the sandbox that tests run at: the best here, or what SPARSEBENCH_SANDBOX holds it down to."""

from __future__ import annotations

import functools

from sparsebench.evaluate.child.sandbox import landlock_version

__all__ = ["LEVELS", "held_here", "level"]

LEVELS = ("none", "restricted", "isolated")
"""From the weakest."""


@functools.cache
def level() -> str:
    """Give the level that a row says."""
    return "restricted" if landlock_version() else "none"


def held_here(wanted: str, here: str) -> bool:
    """Whether what it takes a level to hold is held at another."""
    return LEVELS.index(here) >= LEVELS.index(wanted)
