"""The kinds of an operation's arguments: named kinds, and functions that make others from them.

A kind is in the argument's annotation in the function that executes the operation: ``x: Annotated[Any,
ARRAY]``. A call may give nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.ops.core.dtypes import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ARRAY",
    "AXES",
    "AXIS",
    "DTYPE",
    "FLAG",
    "INDEX",
    "INTEGER",
    "INTEGERS",
    "LENGTH",
    "LENGTHS",
    "NUMBER",
    "OPERAND",
    "REAL",
    "TEXT",
    "Kind",
    "either",
    "one_of",
    "or_none",
    "tuple_of",
]

_LEAST, _MOST = -(2**63), 2**64 - 1
_LONGEST_DTYPE = max(map(len, DTYPES))


class Kind(NamedTuple):
    """A kind of argument."""

    words: str
    """The expected values, for messages."""
    fits: Callable[[Any], bool]
    """Whether a value is of the kind."""
    typed: str = "Any"
    """The type in the type stubs."""
    mend: str = ""
    """The mend for an array that is given instead, if there is one."""


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _is_integer(value: Any) -> bool:
    return type(value) is int and _LEAST <= value <= _MOST


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | float | complex) or _is_integer(value)


def _is_real(value: Any) -> bool:
    return _is_number(value) and not isinstance(value, complex)


def _is_length(value: Any) -> bool:
    return _is_integer(value) and value >= 0


def _is_dtype(value: Any) -> bool:
    # NumPy parses texts as descriptions of structures: long ones take long, and some are syntax errors.
    if not isinstance(value, str | type | np.dtype) or (
        isinstance(value, str) and len(value) > _LONGEST_DTYPE
    ):
        return False
    try:
        dtype = np.dtype(value)
    except (TypeError, ValueError, SyntaxError):
        return False
    return dtype.isnative and dtype.name in DTYPES


def _is_index(value: Any) -> bool:
    if isinstance(value, slice):
        return all(part is None or _is_integer(part) for part in (value.start, value.stop, value.step))
    return value is None or value is ... or _is_integer(value) or _is_array(value)


def or_none(kind: Kind) -> Kind:
    """Make the kind that also allows None."""
    return Kind(
        f"{kind.words} or None", lambda value: value is None or kind.fits(value), f"{kind.typed} | None"
    )


def tuple_of(kind: Kind, words: str, least: int = 0) -> Kind:
    """Make the kind of tuples of at least ``least`` members of a kind; ``words`` describe it."""
    return Kind(
        words,
        lambda value: isinstance(value, tuple) and len(value) >= least and all(map(kind.fits, value)),
        f"Sequence[{kind.typed}]",
    )


def either(one: Kind, other: Kind) -> Kind:
    """Make the kind of values of one kind or the other."""
    return Kind(
        f"{one.words} or {other.words}",
        lambda value: one.fits(value) or other.fits(value),
        f"{one.typed} | {other.typed}",
    )


def one_of(*words: str) -> Kind:
    """Make the kind of the given texts."""
    return Kind(
        " or ".join(map(repr, words)),
        lambda value: isinstance(value, str) and value in words,
        f"Literal[{', '.join(map(repr, words))}]",
    )


ARRAY = Kind("an array", _is_array, "Array")
OPERAND = Kind(
    "an array or a Python number", lambda value: _is_array(value) or _is_number(value), "Array | complex"
)
NUMBER = Kind("a Python number", _is_number, "complex")
REAL = Kind("a real Python number", _is_real, "float")
INTEGER = Kind("a Python integer", _is_integer, "int")
LENGTH = Kind("a Python integer, not negative", _is_length, "int")
FLAG = Kind("True or False", lambda value: isinstance(value, bool), "bool")
DTYPE = Kind(f"one of the dtypes {', '.join(DTYPES)}", _is_dtype, "DType")
INDEX = Kind("integers, slices, None, ... and arrays", _is_index, "Index")
TEXT = Kind("text", lambda value: isinstance(value, str), "str")
INTEGERS = either(INTEGER, tuple_of(INTEGER, "a tuple of them"))
LENGTHS = either(LENGTH, tuple_of(LENGTH, "a tuple of them"))
AXIS = or_none(INTEGER)
AXES = or_none(INTEGERS)
