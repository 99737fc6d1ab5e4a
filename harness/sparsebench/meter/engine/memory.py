"""The bytes that the engine holds, and their limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sparsebench.errors import MemoryLimitError
from sparsebench.meter.engine.loads import root_of

if TYPE_CHECKING:
    import numpy as np

__all__ = ["PER_HANDLE", "PER_SECRET", "Memory"]

PER_HANDLE = 512
"""Bytes of a handle without its array: a million empty arrays fill memory as well."""

PER_SECRET = 64
"""Bytes that a secret takes in what a handle carries: thousands of selections that are joined fill memory."""


class Memory:
    """A count of the bytes behind handles. Several views of one memory count once.

    Parameters
    ----------
    limit
        Bytes that may be held at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self.peak = 0
        self._floor = 0
        self._recent = 0
        self._holders: dict[int, tuple[np.ndarray[Any, Any], int]] = {}

    def mark(self) -> None:
        """Let :meth:`since_mark` measure from here."""
        self._floor = self._recent = self.held

    def since_mark(self) -> int:
        """Return the most bytes held at once since :meth:`mark`, less those held then."""
        return self._recent - self._floor

    def _note(self, held: int) -> None:
        self.peak = max(self.peak, held)
        self._recent = max(self._recent, held)

    def admit(self, nbytes: int) -> None:
        """Refuse a result that would not fit, before it is made."""
        if self.held + nbytes > self.limit:
            raise self._too_much()
        self._note(self.held + nbytes)

    def admit_lengths(self, array: np.ndarray[Any, Any]) -> None:
        """Refuse an empty array with lengths that would not fit if it had elements.

        Operations on it may loop over its lengths, or give one result for each.
        """
        if (
            not array.size
            and math.prod(max(length, 1) for length in array.shape) > self.limit // array.itemsize
        ):
            raise self._too_much()

    def _too_much(self) -> MemoryLimitError:
        # The excess of bytes may depend on values, and the submission's side reads this too.
        message = f"arrays of too many bytes at once; the limit is {self.limit:,}"
        return MemoryLimitError(message, help="work on fewer elements at a time, or raise --memory-limit")

    def hold(self, array: np.ndarray[Any, Any], secrets: int = 0) -> None:
        """Note one more handle on the memory of ``array``, with this number of secrets."""
        root = root_of(array)
        _, holders = self._holders.get(id(root), (root, 0))
        self._holders[id(root)] = (root, holders + 1)
        self.held += PER_HANDLE + PER_SECRET * secrets + (0 if holders else root.nbytes)
        self._note(self.held)

    def drop(self, array: np.ndarray[Any, Any], secrets: int = 0) -> bool:
        """Note one handle less; return whether it was the last one on its memory."""
        root, holders = self._holders.pop(id(root_of(array)))
        self.held -= PER_HANDLE + PER_SECRET * secrets
        if holders > 1:
            self._holders[id(root)] = (root, holders - 1)
        else:
            self.held -= root.nbytes
        return holders == 1
