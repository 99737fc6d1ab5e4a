"""The arrays behind handles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import RefusedError
from sparsebench.meter.engine.loads import LoadTracker, root_of
from sparsebench.meter.engine.memory import Memory
from sparsebench.meter.engine.values import Secret, Value
from sparsebench.meter.values import Description, Handle
from sparsebench.ops.charges import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Shelf", "copied", "frozen", "unpaid"]


class Shelf:
    """Arrays by number. A number is never used twice, so an old handle never means another array.

    Parameters
    ----------
    memory_limit
        Bytes of arrays that may be held at once.
    """

    def __init__(self, memory_limit: int) -> None:
        self.memory = Memory(memory_limit)
        self.loads = LoadTracker()
        self._values: dict[int, Value] = {}
        self._next = 0
        self._kept: set[int] = set()
        self._pinned: set[int] = set()
        self._constant: set[int] = set()  # arrays that own memory that no input decides, by identity

    @property
    def upcoming(self) -> int:
        """The number of the next array."""
        return self._next

    def keep(self, array: np.ndarray[Any, Any], *, passing: bool = False) -> Description:
        """Store a parameter under a new number. It stays; a temporary one stays until it is dropped.

        A temporary one may be written to, like an array that a submission makes by itself in any array
        library.
        """
        owned = copied(array) if passing else frozen(array)
        self.loads.watch(owned, passing=passing)
        told = self.store(owned, constant=True)
        if not passing:
            self._kept.add(told.handle.number)
        return told

    def store(
        self,
        array: np.ndarray[Any, Any],
        secrets: frozenset[Secret] = frozenset(),
        *,
        constant: bool = False,
    ) -> Description:
        """Store an array under a new number; the caller says whether it is the model's, or a constant.

        Raises
        ------
        MemoryLimitError
            If it is empty, but has lengths that are too large.
        """
        self.memory.admit_lengths(array)
        number, self._next = self._next, self._next + 1
        value = self._values[number] = Value(array, secrets if array.ndim else frozenset(), constant)
        self.memory.hold(array, len(value.secrets))
        if constant:
            self._constant.add(id(root_of(array)))
        return _describe(Handle(number), value)

    def replace(self, handle: Handle, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Put another array behind a parameter's handle; return the old one."""
        before = self.value(handle)
        assert handle.number in self._kept
        self._constant.discard(id(root_of(before.array)))
        self._constant.add(id(root_of(array)))
        assert (array.shape, array.dtype) == (before.array.shape, before.array.dtype)
        self._values[handle.number] = Value(array, before.secrets, before.constant)
        return before.array

    def is_constant(self, value: Value) -> bool:
        """Return whether it was made only from the model, and its memory was not written to since."""
        return value.constant and id(root_of(value.array)) in self._constant

    def write(self, array: np.ndarray[Any, Any]) -> None:
        """Note that an array was written to: from now on all views of its memory count as computed."""
        self._constant.discard(id(root_of(array)))

    def value(self, handle: Handle) -> Value:
        """Return the value of a handle.

        Raises
        ------
        RefusedError
            If the handle names nothing, or nothing any more.
        """
        try:
            return self._values[handle.number]
        except KeyError:
            message = "an array of an earlier call was used"
            raise RefusedError(message, help="predict must be a function of params and x alone") from None

    def describe(self, handle: Handle) -> Description:
        """Return what the other side may know about an array."""
        return _describe(handle, self.value(handle))

    def pin(self, handle: Handle) -> None:
        """Keep an array until :meth:`clear`, even if the other side drops it."""
        self.value(handle)
        self._pinned.add(handle.number)

    def free(self, numbers: Iterable[int]) -> None:
        """Forget arrays that the other side has dropped; kept and pinned ones stay."""
        for number in numbers:
            if number in self._kept or number in self._pinned:
                continue
            value = self._values.pop(number, None)
            if value is not None and self.memory.drop(value.array, len(value.secrets)):
                self.loads.forget(value.array)
                self._constant.discard(id(root_of(value.array)))  # another array may get its identity

    def clear(self) -> None:
        """Forget everything but what is kept."""
        self._pinned.clear()
        self.free(list(self._values))
        self.memory.mark()
        self.loads.reset()


def frozen(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Copy an array into contiguous memory of its own that nobody can write to."""
    owned = copied(array)
    owned.flags.writeable = False
    return owned


def copied(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Copy an array into contiguous memory of its own, in the machine's byte order."""
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C")


def unpaid(value: Value) -> list[Secret]:
    """Return the secrets that the shape of a value would reveal and that are not paid for."""
    return [secret for secret in value.secrets if not secret.paid] if value.secrets else []


def _describe(handle: Handle, value: Value) -> Description:
    array = value.array
    shape = None if unpaid(value) else array.shape
    return Description(handle, name_of(array.dtype), array.ndim, shape)
