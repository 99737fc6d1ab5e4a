"""The parameter elements that an input reads: exact through views, slices and gathers."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["LoadTracker", "as_seen", "root_of"]


def root_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Find the array that owns the memory of ``array``."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def as_seen(array: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the view of ``other`` that corresponds to the view ``array`` of an array of the same shape.

    Parameters
    ----------
    array
        A view of an array that owns contiguous memory, or such an array itself.
    other
        A contiguous array of that array's shape and of any dtype.

    Returns
    -------
    numpy.ndarray
        A view of ``other``, of the shape of ``array``: each element has the place of that of ``array``.
    """
    root = root_of(array)
    if array is root:
        return other
    if not array.size:  # which has no elements, and perhaps begins beyond the end
        return np.empty(array.shape, other.dtype)
    width, wide = root.itemsize, other.itemsize
    offset = (array.__array_interface__["data"][0] - root.__array_interface__["data"][0]) // width * wide
    strides = tuple([stride // width * wide for stride in array.strides])
    return np.ndarray(array.shape, other.dtype, other, offset, strides)


class LoadTracker:
    """A record of the elements of parameters that operations read.

    Parameters are identified by their memory, so a slice, a transpose or a broadcast of a parameter marks
    exactly its own elements.
    """

    def __init__(self) -> None:
        self._marks: dict[int, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
        self._passing: set[int] = set()
        self._gone = (0, 0)
        self.active = False

    def watch(self, parameter: np.ndarray[Any, Any], *, passing: bool = False) -> None:
        """Watch an array that owns contiguous memory; a temporary one only until the next reset."""
        self._marks[id(parameter)] = (parameter, np.zeros(parameter.shape, dtype=np.bool_))
        if passing:
            self._passing.add(id(parameter))

    def reset(self) -> None:
        """Forget what was read, but keep watching the parameters."""
        for key in self._passing:
            del self._marks[key]
        self._passing.clear()
        self._gone = (0, 0)
        for _, marks in self._marks.values():
            marks[...] = False

    def forget(self, array: np.ndarray[Any, Any]) -> None:
        """Stop watching a temporary array that nothing can read any more; its elements read stay counted."""
        key = id(root_of(array))
        if key in self._passing:
            self._passing.discard(key)
            owner, marks = self._marks.pop(key)
            read = int(marks.sum())
            self._gone = (self._gone[0] + read, self._gone[1] + read * owner.itemsize)

    def read(self, array: np.ndarray[Any, Any], key: Any = ...) -> None:
        """Note that ``array[key]`` is read."""
        root = root_of(array)
        if self.active and id(root) in self._marks:
            as_seen(array, self._marks[id(root)][1])[key] = True

    def unread(self, parameter: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return, for every element of a watched array, whether it was not read since the last reset."""
        return ~self._marks[id(parameter)][1]

    def elements(self) -> int:
        """Count the distinct parameter elements read since the last reset."""
        return self._gone[0] + sum(int(marks.sum()) for _, marks in self._marks.values())

    def nbytes(self) -> int:
        """Count the bytes of the distinct parameter elements read since the last reset."""
        read = (int(marks.sum()) * owner.itemsize for owner, marks in self._marks.values())
        return self._gone[1] + sum(read)
