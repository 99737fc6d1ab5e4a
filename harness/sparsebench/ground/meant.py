"""The name that was meant instead of one that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]

_NEAR = 0.6


def nearest(name: str, known: Iterable[str], *, near: float = _NEAR) -> str:
    """Return the most similar name; empty if none is similar.

    Parameters
    ----------
    name
        The requested name.
    known
        The existing names.
    near
        The required similarity, from 0 to 1.
    """
    import difflib  # noqa: PLC0415 - only where a name is mistaken: this is held beside a stranger, too

    return next(iter(difflib.get_close_matches(name, list(known), n=1, cutoff=near)), "")


def did_you_mean(name: str, known: Iterable[str], *, near: float = _NEAR, quoted: bool = True) -> str:
    """Return the question whether the most similar name was meant; empty if none is similar.

    Parameters
    ----------
    name, known, near
        As for `nearest`.
    quoted
        Whether to put the name in quotes, as in messages that quote the given one.
    """
    meant = nearest(name, known, near=near)
    shown = repr(meant) if quoted else meant
    return f"did you mean {shown}?" if meant else ""
