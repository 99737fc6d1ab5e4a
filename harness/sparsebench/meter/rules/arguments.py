"""What operations take: exactly the arguments of their signatures, each of its kind.

An argument that NumPy knows but the meter does not (``out``, ``where``, ``casting``) could compute something
that nobody counts, and an array where a plain number belongs (the end of a range, a shift) could tell its
value by the shape of the result. So every parameter of every rule has a kind, by its name.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.errors import UncountedOperationError
from sparsebench.meter.values import DTYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.meter.rules.base import Rule

__all__ = ["check_arguments"]

_LEAST, _MOST = -(2**63), 2**64 - 1


class _Kind(NamedTuple):
    """A kind of argument."""

    words: str
    fits: Callable[[Any], bool]


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _is_integer(value: Any) -> bool:
    return type(value) is int and _LEAST <= value <= _MOST


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | float) or _is_integer(value)


def _is_length(value: Any) -> bool:
    return _is_integer(value) and value >= 0


def _is_dtype(value: Any) -> bool:
    try:
        dtype = np.dtype(value)
    except (TypeError, ValueError):
        return False
    return value is not None and dtype.isnative and dtype.name in DTYPES


def _is_index(value: Any) -> bool:
    if isinstance(value, slice):
        return all(part is None or _is_integer(part) for part in (value.start, value.stop, value.step))
    return value is None or value is ... or _is_integer(value) or _is_array(value)


def _or_none(kind: _Kind) -> _Kind:
    return _Kind(f"{kind.words} or None", lambda value: value is None or kind.fits(value))


def _tuple_of(kind: _Kind, words: str, least: int = 0) -> _Kind:
    return _Kind(
        words, lambda value: isinstance(value, tuple) and len(value) >= least and all(map(kind.fits, value))
    )


def _either(one: _Kind, other: _Kind) -> _Kind:
    return _Kind(f"{one.words} or {other.words}", lambda value: one.fits(value) or other.fits(value))


_ARRAY = _Kind("an array", _is_array)
_OPERAND = _Kind("an array or a Python number", lambda value: _is_array(value) or _is_number(value))
_NUMBER = _Kind("a Python number", _is_number)
_INTEGER = _Kind("a Python integer", _is_integer)
_LENGTH = _Kind("a Python integer, not negative", _is_length)
_FLAG = _Kind("True or False", lambda value: isinstance(value, bool))
_DTYPE = _Kind(f"one of the dtypes {', '.join(DTYPES)}", _is_dtype)
_INDEX = _Kind("integers, slices, None, ... and arrays", _is_index)
_INTEGERS = _either(_INTEGER, _tuple_of(_INTEGER, "a tuple of them"))
_LENGTHS = _either(_LENGTH, _tuple_of(_LENGTH, "a tuple of them"))
_SIDES = _Kind("'left' or 'right'", lambda value: value in ("left", "right"))

_AXIS = _or_none(_INTEGER)
_AXES = _or_none(_INTEGERS)

_KINDS: dict[str, _Kind] = {
    **dict.fromkeys(("x", "index", "condition", "edges", "planes", "weights", "prototypes"), _ARRAY),
    **dict.fromkeys(("thresholds", "a", "b", "bits", "tables", "values"), _ARRAY),
    **dict.fromkeys(("operand", "x1", "x2", "value"), _OPERAND),
    **dict.fromkeys(("min", "max"), _or_none(_OPERAND)),
    **dict.fromkeys(("bias", "offsets"), _or_none(_ARRAY)),
    **dict.fromkeys(("fill_value", "start", "step"), _NUMBER),
    **dict.fromkeys(("keepdims", "descending", "stable", "endpoint"), _FLAG),
    **dict.fromkeys(("k", "levels"), _INTEGER),
    **dict.fromkeys(("num", "n_rows", "repeats"), _LENGTH),
    **dict.fromkeys(("source", "destination", "axes", "shift"), _INTEGERS),
    **dict.fromkeys(("shape", "repetitions"), _LENGTHS),
    "arrays": _tuple_of(_ARRAY, "a sequence of arrays", 1),
    "axis": _AXES,
    "copy": _or_none(_FLAG),
    "dtype": _or_none(_DTYPE),
    "key": _either(_INDEX, _tuple_of(_INDEX, "a tuple of them")),
    "n_cols": _or_none(_LENGTH),
    "side": _SIDES,
    "stop": _or_none(_NUMBER),
    # Where a name means something else in one rule.
    **dict.fromkeys((f"{name}.axis" for name in ("argmax", "argmin", "concat", "repeat", "take")), _AXIS),
    **dict.fromkeys((f"{name}.axis" for name in ("argsort", "cumulative_sum", "sort", "stack")), _INTEGER),
    **dict.fromkeys((f"{name}.axis" for name in ("take_along_axis", "vecdot")), _INTEGER),
    **dict.fromkeys((f"{name}.axis" for name in ("expand_dims", "squeeze")), _INTEGERS),
    "astype.dtype": _DTYPE,
    "linspace.stop": _NUMBER,
    "reshape.shape": _INTEGERS,
    "tree_route.key": _ARRAY,
}
"""The kind of a parameter, by its name in the signature, or by rule and name."""


def check_arguments(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse arguments that a rule does not take.

    Raises
    ------
    UncountedOperationError
        If there are more arguments than the operation has, or others.
    TypeError
        If one is missing, or of another kind. Nothing is said about the value of an array.
    """
    signature = _signature(rule)
    try:
        given = signature.bind_partial(*args, **kwargs).arguments
    except TypeError as error:
        message = f"{rule.name}: {error}; arguments without a price are refused"
        raise UncountedOperationError(message, help=f"it is called as {rule.example}") from None
    for name, parameter in signature.parameters.items():
        kind = _kind(rule.name, name)
        several = parameter.kind is parameter.VAR_POSITIONAL
        if name not in given:
            if parameter.default is parameter.empty and not several:
                raise TypeError(f"{rule.name}: expected {name}, {kind.words}; it is called as {rule.example}")
            continue
        for value in given[name] if several else (given[name],):
            if not kind.fits(value):
                got = type(value).__name__
                raise TypeError(
                    f"{rule.name}: expected {name} to be {kind.words}, got {_NAMES.get(got, got)}"
                )


_NAMES = {"ndarray": "an array", "str": "text", "int": "an integer"}


@functools.cache
def _signature(rule: Rule) -> inspect.Signature:
    """Signature of a rule; every parameter of it has a kind, or KeyError."""
    signature = inspect.signature(rule.run)
    for name in signature.parameters:
        _kind(rule.name, name)
    return signature


def _kind(rule: str, parameter: str) -> _Kind:
    return _KINDS.get(f"{rule}.{parameter}") or _KINDS[parameter]
