"""Addresses in blocks, so that memory stays within a limit."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["blocks"]


def blocks(shape: tuple[int, ...], record: int, most: int) -> Iterator[tuple[slice, ...]]:
    """Cut addresses ``(n,)`` or ``(n, k)`` into blocks that need at most a given number of elements.

    Blocks consist of rows, or of some addresses of one row if one row alone is too large.

    Parameters
    ----------
    shape
        The shape of the addresses.
    record
        Elements that are held for one address: the gathered ones, and those made from them.
    most
        Most elements to hold at once; a block has at least one address.
    """
    record = max(1, record)
    many = shape[1] if len(shape) > 1 else 1
    experts = max(1, min(many, most // record))
    rows = max(1, most // (experts * record))
    for start, first in itertools.product(range(0, shape[0], rows), range(0, many, experts)):
        yield (slice(start, start + rows), slice(first, first + experts))[: len(shape)]
