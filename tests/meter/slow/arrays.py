"""Arrays of counting numbers, and the loops that operations on them are made of."""

from __future__ import annotations

import math

import numpy as np

from meter.scalars import Number, number, quietly


class Slow:
    """An object array of counting numbers. It knows its dtype, because an empty one has nobody to ask.

    ``constant`` says that it lies in the memory of a model: a parameter, or made of constants alone.
    """

    def __init__(self, cells, dtype, *, constant=False):
        self.cells = cells
        self.dtype = np.dtype(dtype)
        self.constant = constant

    @classmethod
    def of(cls, array, *, constant=False):
        made = filled([Number(value) for value in array.reshape(-1)], array.shape, array.dtype)
        made.constant = constant
        return made

    @property
    def shape(self):
        return self.cells.shape

    @property
    def ndim(self):
        return self.cells.ndim

    @property
    def size(self):
        return self.cells.size

    def flat(self):
        return self.cells.reshape(-1).tolist()

    def values(self):
        """The numbers as a NumPy array. Every one of them must have come to the array's dtype."""
        numbers = self.flat()
        assert all(one.dtype == self.dtype for one in numbers), f"not all of {numbers} are {self.dtype}"
        return np.array([one.value for one in numbers], dtype=self.dtype).reshape(self.shape)


def filled(numbers, shape, dtype):
    cells = np.empty(len(numbers), dtype=object)
    cells[:] = numbers
    return Slow(cells.reshape(shape), dtype)


def single(cells):
    """What indexing an object array gives, as an array also where it is one number."""
    if isinstance(cells, np.ndarray):
        return cells
    alone = np.empty((), dtype=object)
    alone[()] = cells
    return alone


def axes_of(axis, ndim):
    """Axes in order, none negative; all for None."""
    given = range(ndim) if axis is None else (axis if isinstance(axis, tuple) else (axis,))
    return sorted(place % ndim for place in given)


def _one(x):
    return number(1, x.dtype) if isinstance(x, Slow) else x


def elementwise(function):
    """Let a function of numbers work on arrays and Python's numbers, broadcast."""

    def run(*operands):
        shape = np.broadcast_shapes(*(x.shape for x in operands if isinstance(x, Slow)))
        columns = [
            np.broadcast_to(x.cells, shape).reshape(-1).tolist()
            if isinstance(x, Slow)
            else [x] * math.prod(shape)
            for x in operands
        ]
        numbers = [function(*parts) for parts in zip(*columns, strict=True)]
        if numbers:
            return filled(numbers, shape, numbers[0].dtype)
        with quietly():
            return filled([], shape, function(*map(_one, operands)).dtype)

    return run


def lanes_of(x, axes):
    """The shape beside some axes, and the lists of numbers along them."""
    kept = [place for place in range(x.ndim) if place not in axes]
    outer = tuple(x.shape[place] for place in kept)
    length = math.prod(x.shape[place] for place in axes)
    flat = np.transpose(x.cells, (*kept, *axes)).reshape(-1).tolist()
    return outer, length, [flat[lane * length : (lane + 1) * length] for lane in range(math.prod(outer))]


def reduced(function, x, axis=None, *, keepdims=False):
    """Make one number of every lane."""
    axes = axes_of(axis, x.ndim)
    outer, _, lanes = lanes_of(x, axes)
    numbers = [function(lane) for lane in lanes]
    with quietly():
        dtype = numbers[0].dtype if numbers else function([_one(x)]).dtype
    kept = [1 if place in axes else length for place, length in enumerate(x.shape)]
    return filled(numbers, kept if keepdims else outer, dtype)


def lanewise(function, x, axis=-1):
    """Make a list of numbers of every lane along one axis."""
    (along,) = axes_of(axis, x.ndim)
    outer, length, lanes = lanes_of(x, [along])
    made = [function(lane) for lane in lanes]
    numbers = [one for lane in made for one in lane]
    with quietly():
        new = len(made[0] if made else function([_one(x)] * length))
        dtype = numbers[0].dtype if numbers else (function([_one(x)]) or [_one(x)])[0].dtype
    laid = filled(numbers, (*outer, new), dtype)
    return Slow(np.moveaxis(laid.cells, -1, along), dtype)


def cast(x, dtype):
    return filled([one.cast(dtype) for one in x.flat()], x.shape, dtype)
