"""Draws that arguments of operations are made of, whoever takes them."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from hypothesis import strategies as st

KINDS = {"f": ("float32", "float64"), "i": ("int64", "int32"), "b": ("bool",), "u": ("uint8",)}
_RECENT = 4  # arrays that the next one is chosen from, so that steps build on one another


class Draws(ABC):
    """Numbers, shapes and arrays."""

    most = 4
    """The longest axis of an array that annotations tell the shape of."""
    highest = 2
    """The largest number of which formulas make a length."""

    def __init__(self, data):
        self.data = data
        self.live = []

    def integer(self, low, high):
        return self.data.draw(st.integers(low, high))

    def flag(self):
        return self.data.draw(st.booleans())

    def choose(self, options):
        return self.data.draw(st.sampled_from(options))

    def shape(self, least=0, most=3):
        """A shape; now and then a side is 0."""
        dims = self.choose([dims for dims in (2, 1, 3, 2, 0) if least <= dims <= most])
        return tuple(self.choose((2, 3, 1, 2, 3, 0)) for _ in range(dims))

    def lengths(self, *sides):
        """A shape of at most these sides, none of them 0."""
        return tuple(self.integer(1, side) for side in sides)

    def kind(self, kinds):
        return self.choose([dtype for kind in kinds for dtype in KINDS[kind]])

    def axis(self, x):
        return self.integer(-x.ndim, x.ndim - 1)

    def axes(self, x):
        """None, one axis or several."""
        how = self.integer(0, 2) if x.ndim else 0
        if how < 2:
            return self.axis(x) if how else None
        count = self.integer(0, x.ndim)
        return tuple(place - x.ndim * self.flag() for place in self.permutation(x.ndim)[:count])

    def permutation(self, length):
        return tuple(self.data.draw(st.permutations(range(length))))

    def number(self, kinds="fib"):
        """A Python number; an integer is not negative, because arrays may be unsigned."""
        kind = self.choose(kinds)
        if kind == "f":
            return self.choose([0.5, -1.5, 2.0, 3.25])
        return self.flag() if kind == "b" else self.integer(0, 3)

    def array(self, kinds="fbiu", fits=lambda _: True, *, shape=None, new=None, fresh=False):
        """An array that is alive and fits, or a new one of ``shape``; where any would do, of ``new``."""
        found = [x for x in self.live if x.dtype.kind in kinds and shape in (None, x.shape) and fits(x)]
        if found and not fresh and self.choose((True, True, True, True, False)):
            return self.choose(found[::-1][:_RECENT])
        shape = new if shape is None else shape
        return self.put(self.values(self.shape() if shape is None else shape, self.kind(kinds)))

    def values(self, shape, dtype, low=-4, high=5):
        """Multiples of a half: few, so that some are equal, and so small that sums of them are exact."""
        generator = np.random.default_rng(self.integer(0, 999))
        dtype = np.dtype(dtype)
        if dtype.kind == "b":
            return generator.random(shape) < self.choose([0.5, 0.0, 1.0])
        if dtype.kind == "f":
            return (generator.integers(2 * low, 2 * high, shape) / 2).astype(dtype)
        return generator.integers(0 if dtype.kind == "u" else low, high, shape).astype(dtype)

    def addresses(self, shape, rows, *, negative=False):
        """Integers that address rows; none where there are no rows."""
        shape = shape if rows else (0, *shape[1:]) if shape else (0,)
        dtype = self.choose(["int64", "int32", "uint8"])
        least = -rows if negative and dtype != "uint8" else 0
        return self.put(self.values(shape, dtype, low=least, high=max(rows, 1)))

    def partner(self, x, kinds="fbiu"):
        """An array whose shape broadcasts with that of another one."""
        shape = tuple(self.choose([length, 1]) for length in x.shape)[self.integer(0, x.ndim) :]
        if self.integer(0, 3) == 0 and 1 in x.shape:
            shape = tuple(3 if length == 1 else length for length in x.shape)
        return self.array(kinds, lambda y: _broadcasts(x.shape, y.shape), new=shape)

    @abstractmethod
    def put(self, array):
        """Make an operand of an array."""


def _broadcasts(one, other):
    return all(1 in pair or pair[0] == pair[1] for pair in zip(reversed(one), reversed(other), strict=False))
