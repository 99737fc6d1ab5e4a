"""Which parameter elements an input reads: exact through views, slices and gathers."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["LoadTracker", "as_seen", "root_of"]


def root_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Find the array that owns the memory that ``array`` looks at."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def as_seen(array: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Look at ``other``, which has the shape of what ``array`` is a view of, as ``array`` looks at that.

    Parameters
    ----------
    array
        A view of an array that owns contiguous memory, or such an array itself.
    other
        A contiguous array of that array's shape and of any dtype.

    Returns
    -------
    numpy.ndarray
        A view of ``other``, of the shape of ``array``: each element stands where that of ``array`` does.
    """
    root = root_of(array)
    if array is root:
        return other
    if not array.size:  # which looks nowhere, and perhaps beyond the end
        return np.empty(array.shape, other.dtype)
    width, wide = root.itemsize, other.itemsize
    offset = (array.__array_interface__["data"][0] - root.__array_interface__["data"][0]) // width * wide
    strides = tuple([stride // width * wide for stride in array.strides])
    return np.ndarray(array.shape, other.dtype, other, offset, strides)


class LoadTracker:
    """Marks the elements of parameters that operations read.

    Parameters are known by their memory, so a slice, a transpose or a broadcast of a parameter marks the
    elements that it really looks at.
    """

    def __init__(self) -> None:
        self._marks: dict[int, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
        self._passing: set[int] = set()
        self._gone = (0, 0)
        self.active = False

    def watch(self, parameter: np.ndarray[Any, Any], *, passing: bool = False) -> None:
        """Watch an array that owns contiguous memory; a passing one only until the next reset."""
        self._marks[id(parameter)] = (parameter, np.zeros(parameter.shape, dtype=np.bool_))
        if passing:
            self._passing.add(id(parameter))

    def reset(self) -> None:
        """Forget what was read; watch the parameters on."""
        for key in self._passing:
            del self._marks[key]
        self._passing.clear()
        self._gone = (0, 0)
        for _, marks in self._marks.values():
            marks[...] = False

    def forget(self, array: np.ndarray[Any, Any]) -> None:
        """Let go of a passing array that nothing can read any more; what was read of it stays counted."""
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
        """Tell of every element of a watched array whether it was not read since the last reset."""
        return ~self._marks[id(parameter)][1]

    def elements(self) -> int:
        """Count the distinct parameter elements read since the last reset."""
        return self._gone[0] + sum(int(marks.sum()) for _, marks in self._marks.values())

    def nbytes(self) -> int:
        """Count the bytes of the distinct parameter elements read since the last reset."""
        read = (int(marks.sum()) * owner.itemsize for owner, marks in self._marks.values())
        return self._gone[1] + sum(read)
