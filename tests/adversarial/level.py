"""The level of the sandbox that tests run at: the best here, or what SPARSEBENCH_SANDBOX holds it down to."""

from __future__ import annotations

from sparsebench.evaluate.child.walls import LEVELS
from sparsebench.evaluate.host.parents import measured

__all__ = ["LEVELS", "held_here", "level"]


def level() -> str:
    """Give the level that a row says."""
    return measured().level


def held_here(wanted: str, here: str) -> bool:
    """Whether what it takes a level to hold is held at another."""
    return LEVELS.index(here) >= LEVELS.index(wanted)
