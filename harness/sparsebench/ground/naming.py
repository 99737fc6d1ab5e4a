"""Names: references to tasks, and the error for a name that does not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sparsebench.errors import NotFoundError
from sparsebench.ground.meant import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NAME_PATTERN", "is_file_everywhere", "unknown_name"]

NAME_PATTERN = r"^[a-z0-9]+(-[a-z0-9]+)*$"
"""What a task or instance may be called: ``[a-z0-9]`` words joined by single hyphens."""


_NO_FILE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?|.*\.", re.IGNORECASE)


def is_file_everywhere(name: str) -> bool:
    """Return whether a plain name can be a file's on Windows too: some it keeps, none ends in a point."""
    return _NO_FILE.fullmatch(name) is None


def unknown_name(kind: str, name: str, known: Iterable[str], *, where: str = "") -> NotFoundError:
    """Build the error for a name that does not exist: did-you-mean, then all existing names.

    Parameters
    ----------
    kind
        The kind of the thing, such as ``"task"``.
    name
        The requested name.
    known
        The names that exist.
    where
        Where it was looked for; left out if empty.
    """
    names = sorted(set(known))
    guess = did_you_mean(name, names, near=0.5)
    place = f" in {where}" if where else ""
    listed = ", ".join(names) if names else "none"
    return NotFoundError(f"unknown {kind} {name!r}{place}", help=f"{guess} there are: {listed}".lstrip())
