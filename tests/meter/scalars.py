"""A slow counter: numbers that count what is done to them, by kind and dtype.

It shares no code with the rule table and imports nothing of sparsebench. An operation counts where it
happens, in the dtype that NumPy's promotion gives its operands: a price is what the work took.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections import Counter

import numpy as np

COUNTS: Counter[tuple[str, str]] = Counter()
"""(kind, dtype) -> how many, since the last clear()."""

_WEAK = {bool: True, int: 1, float: 1.0}


def spend(kind, dtype, amount=1):
    """Count something that no operator does: a look-up, an element read, a bit told."""
    COUNTS[kind, np.dtype(dtype).name] += amount


@contextlib.contextmanager
def quietly():
    """Do something that is not counted: to learn a dtype where there are no elements."""
    before = COUNTS.copy()
    try:
        yield
    finally:
        COUNTS.clear()
        COUNTS.update(before)


@functools.cache
def _common(*kinds):
    return np.result_type(*(_WEAK.get(kind, kind) for kind in kinds))


def common(*operands):
    """The dtype in which numbers, arrays (anything with a dtype) and Python's numbers meet."""
    return _common(*(getattr(operand, "dtype", type(operand)) for operand in operands))


class Number:
    """A NumPy scalar that counts the operations on it."""

    __slots__ = ("value",)
    __hash__ = None

    def __init__(self, value):
        self.value = value

    @property
    def dtype(self):
        return self.value.dtype

    def __repr__(self):
        return repr(self.value)

    def __bool__(self):
        return bool(self.value)

    def cast(self, dtype):
        """To another dtype. Cutting bits off is a logical operation, and a truth is a comparison."""
        target = np.dtype(dtype)
        if target != self.dtype:
            if target.kind == "b":
                spend("cmp", self.dtype)
            elif target.kind in "iu" and not _holds(target, self.dtype):
                spend("logic", self.dtype)
        return Number(self.value.astype(target))


def _holds(target, source):
    """Whether one kind of integer has room for all of another."""
    assert source.kind != "f", "nothing makes integers of real numbers but comparisons"
    if source.kind == "b":
        return True
    room, needed = np.iinfo(target), np.iinfo(source)
    return room.min <= needed.min and needed.max <= room.max


def operation(kind, function):
    """An operation on numbers that counts as one of a kind."""

    def operate(*operands):
        COUNTS[kind, common(*operands).name] += 1
        return Number(function(*(x.value if isinstance(x, Number) else x for x in operands)))

    return operate


def _reflected(operate):
    return lambda self, other: operate(other, self)


_OPERATORS = {
    "add": "add sub",
    "mul": "mul",
    "div": "truediv",
    "cmp": "lt le gt ge eq ne",
    "logic": "and_ or_ xor lshift rshift",
}
for _kind, _names in _OPERATORS.items():
    for _name in _names.split():
        _operate = operation(_kind, getattr(operator, _name))
        setattr(Number, f"__{_name.rstrip('_')}__", _operate)
        if _kind != "cmp":  # Python reflects comparisons by itself
            setattr(Number, f"__r{_name.rstrip('_')}__", _reflected(_operate))
Number.__neg__ = operation("add", operator.neg)
Number.__abs__ = operation("cmp", abs)
Number.__invert__ = operation("logic", operator.invert)
Number.__pow__ = operation("special", np.power)
Number.__rpow__ = _reflected(Number.__pow__)

maximum = operation("cmp", np.maximum)
minimum = operation("cmp", np.minimum)
square_root = operation("sqrt", np.sqrt)
exponential = operation("special", np.exp)
logarithm = operation("special", np.log)


def number(value, dtype):
    """A constant."""
    return Number(np.dtype(dtype).type(value))


def promoted(*operands):
    """Numbers in the dtype that they and Python's numbers have in common."""
    dtype = common(*operands)
    return [x.cast(dtype) if isinstance(x, Number) else number(x, dtype) for x in operands]


def fold(function, numbers, start):
    """Combine k numbers by k - 1 operations; ``start`` is what none of them give."""
    return functools.reduce(function, numbers) if numbers else start


def total(numbers, dtype):
    return fold(operator.add, numbers, number(0, dtype))


def inner(left, right, dtype):
    """An inner product; each of its steps is a multiply-accumulate too."""
    terms = []
    for one, other in zip(left, right, strict=True):
        spend("mac", dtype)
        terms.append(one.cast(dtype) * other.cast(dtype))
    return total(terms, dtype)
