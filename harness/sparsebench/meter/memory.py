"""How many bytes the engine holds, and may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.errors import MemoryLimitError
from sparsebench.meter.loads import root_of

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Memory"]


class Memory:
    """Counts the bytes behind handles. Several views of one memory count once.

    Parameters
    ----------
    limit
        Bytes that may be held at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self.peak = 0
        self._holders: dict[int, tuple[np.ndarray[Any, Any], int]] = {}

    def admit(self, nbytes: int) -> None:
        """Refuse a result that would not fit, before it is made."""
        if self.held + nbytes > self.limit:
            message = f"arrays of {self.held + nbytes:,} bytes at once; the limit is {self.limit:,}"
            raise MemoryLimitError(message, help="work on fewer elements at a time, or raise --memory-limit")
        self.peak = max(self.peak, self.held + nbytes)

    def hold(self, array: np.ndarray[Any, Any]) -> None:
        """Note one more handle on the memory of ``array``."""
        root = root_of(array)
        _, holders = self._holders.get(id(root), (root, 0))
        self._holders[id(root)] = (root, holders + 1)
        self.held += 0 if holders else root.nbytes
        self.peak = max(self.peak, self.held)

    def drop(self, array: np.ndarray[Any, Any]) -> None:
        """Note one handle less."""
        root, holders = self._holders.pop(id(root_of(array)))
        if holders > 1:
            self._holders[id(root)] = (root, holders - 1)
        else:
            self.held -= root.nbytes
