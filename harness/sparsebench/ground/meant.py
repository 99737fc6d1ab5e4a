"""Which name was meant, where one was asked for that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]

_NEAR = 0.6


def nearest(name: str, known: Iterable[str], *, near: float = _NEAR) -> str:
    """Give the name that is nearest; empty where none is near.

    Parameters
    ----------
    name
        What was asked for.
    known
        The names that there are.
    near
        How much of the two must be alike, from 0 to 1.
    """
    import difflib  # noqa: PLC0415 - only where a name is mistaken: this is held beside a stranger, too

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=near)), "")


def did_you_mean(name: str, known: Iterable[str], *, near: float = _NEAR, quoted: bool = True) -> str:
    """Ask whether the nearest name was meant; empty where none is near.

    Parameters
    ----------
    name, known, near
        As for `nearest`.
    quoted
        Whether it stands in quotes, as in messages that quote what was given.
    """
    meant = nearest(name, known, near=near)
    shown = repr(meant) if quoted else meant
    return f"did you mean {shown}?" if meant else ""
