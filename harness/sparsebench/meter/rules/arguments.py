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

__all__ = ["check_arguments", "typed"]

_LEAST, _MOST = -(2**63), 2**64 - 1
_LONGEST_DTYPE = max(map(len, DTYPES))


class _Kind(NamedTuple):
    """A kind of argument."""

    words: str
    fits: Callable[[Any], bool]
    typed: str = "Any"
    """What stands in the type stubs."""


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
    # NumPy reads texts as programs of structures: long ones take long, and some are errors of syntax.
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


def _or_none(kind: _Kind) -> _Kind:
    return _Kind(
        f"{kind.words} or None", lambda value: value is None or kind.fits(value), f"{kind.typed} | None"
    )


def _tuple_of(kind: _Kind, words: str, least: int = 0) -> _Kind:
    return _Kind(
        words,
        lambda value: isinstance(value, tuple) and len(value) >= least and all(map(kind.fits, value)),
        f"Sequence[{kind.typed}]",
    )


def _either(one: _Kind, other: _Kind) -> _Kind:
    return _Kind(
        f"{one.words} or {other.words}",
        lambda value: one.fits(value) or other.fits(value),
        f"{one.typed} | {other.typed}",
    )


_ARRAY = _Kind("an array", _is_array, "Array")
_OPERAND = _Kind(
    "an array or a Python number", lambda value: _is_array(value) or _is_number(value), "Array | complex"
)
_NUMBER = _Kind("a Python number", _is_number, "complex")
_REAL = _Kind("a real Python number", _is_real, "float")
_INTEGER = _Kind("a Python integer", _is_integer, "int")
_LENGTH = _Kind("a Python integer, not negative", _is_length, "int")
_FLAG = _Kind("True or False", lambda value: isinstance(value, bool), "bool")
_DTYPE = _Kind(f"one of the dtypes {', '.join(DTYPES)}", _is_dtype, "DType")
_INDEX = _Kind("integers, slices, None, ... and arrays", _is_index, "Index")
_INTEGERS = _either(_INTEGER, _tuple_of(_INTEGER, "a tuple of them"))
_LENGTHS = _either(_LENGTH, _tuple_of(_LENGTH, "a tuple of them"))
_TEXT = _Kind("text", lambda value: isinstance(value, str), "str")


def _one_of(*words: str) -> _Kind:
    return _Kind(
        " or ".join(map(repr, words)),
        lambda value: isinstance(value, str) and value in words,
        f"Literal[{', '.join(map(repr, words))}]",
    )


_AXIS = _or_none(_INTEGER)
_AXES = _or_none(_INTEGERS)

_KINDS: dict[str, _Kind] = {
    **dict.fromkeys(("x", "index", "condition", "edges", "planes", "weights", "prototypes"), _ARRAY),
    **dict.fromkeys(("thresholds", "a", "b", "bits", "tables", "values"), _ARRAY),
    **dict.fromkeys(("operands", "segments", "target"), _ARRAY),
    **dict.fromkeys(("directions", "features", "normals"), _ARRAY),
    **dict.fromkeys(("coefficients", "constants", "gates", "preactivations", "readout"), _ARRAY),
    **dict.fromkeys(("operand", "x1", "x2", "value"), _OPERAND),
    **dict.fromkeys(("min", "max"), _or_none(_OPERAND)),
    **dict.fromkeys(("bias", "offsets", "weight", "layers"), _or_none(_ARRAY)),
    "fill_value": _NUMBER,
    **dict.fromkeys(("start", "step", "correction", "d", "eps"), _REAL),
    **dict.fromkeys(("keepdims", "descending", "stable", "endpoint", "upper", "include_initial"), _FLAG),
    **dict.fromkeys(("arity", "degree", "k", "levels", "offset", "stride"), _INTEGER),
    **dict.fromkeys(("num", "n_rows", "n", "classes", "num_segments"), _LENGTH),
    "repeats": _Kind("a Python integer, not negative: an array would decide a shape", _is_length, "int"),
    **dict.fromkeys(("source", "destination", "axes", "shift"), _INTEGERS),
    **dict.fromkeys(("shape", "repetitions"), _LENGTHS),
    "activation": _one_of("relu", "prelu", "swish", "k_tanh"),
    "approximate": _one_of("none", "tanh"),
    "arrays": _tuple_of(_ARRAY, "a sequence of arrays", 1),
    "axis": _AXES,
    "copy": _or_none(_FLAG),
    "dtype": _or_none(_DTYPE),
    "key": _either(_INDEX, _tuple_of(_INDEX, "a tuple of them")),
    "indexing": _one_of("xy", "ij"),
    "mode": _one_of("reduced", "complete"),
    "n_cols": _or_none(_LENGTH),
    "norm": _one_of("backward", "ortho", "forward"),
    **dict.fromkeys(("prepend", "append", "sorter"), _or_none(_ARRAY)),
    "s": _or_none(_tuple_of(_INTEGER, "a tuple of integers")),
    "side": _one_of("left", "right"),
    "slope": _either(_ARRAY, _REAL),
    "stop": _or_none(_REAL),
    "subscripts": _TEXT,
    # Where a name means something else in one rule.
    **dict.fromkeys((f"{name}.axis" for name in ("argmax", "argmin", "concat", "repeat", "take")), _AXIS),
    **dict.fromkeys((f"{name}.axis" for name in ("argsort", "diff", "sort", "stack", "unstack")), _INTEGER),
    **dict.fromkeys((f"cumulative_{name}.axis" for name in ("prod", "sum")), _AXIS),
    **dict.fromkeys((f"{name}.arrays" for name in ("broadcast_arrays", "meshgrid")), _ARRAY),
    **dict.fromkeys(("searchsorted.x1", "searchsorted.x2"), _ARRAY),
    **dict.fromkeys((f"{name}.axis" for name in ("take_along_axis", "vecdot")), _INTEGER),
    **dict.fromkeys((f"{name}.axis" for name in ("expand_dims", "squeeze")), _INTEGERS),
    **dict.fromkeys((f"{name}.axis" for name in ("logsumexp", "softmax")), _INTEGER),
    "tensordot.axes": _either(_INTEGER, _tuple_of(_tuple_of(_INTEGER, ""), "two tuples of them", 2)),
    "linalg.cross.axis": _INTEGER,
    "linalg.matrix_norm.ord": _or_none(_either(_REAL, _one_of("fro", "nuc"))),
    "linalg.matrix_power.n": _INTEGER,
    "linalg.vector_norm.ord": _REAL,
    **dict.fromkeys((f"fft.{name}fft.axis" for name in ("", "i", "r", "ir", "h", "ih")), _INTEGER),
    **dict.fromkeys((f"fft.{name}fft.n" for name in ("", "i", "r", "ir", "h", "ih")), _or_none(_LENGTH)),
    **dict.fromkeys((f"fft.{name}.axes" for name in ("fftshift", "ifftshift")), _AXES),
    **dict.fromkeys(
        (f"fft.{name}.axes" for name in ("fftn", "ifftn", "rfftn", "irfftn")),
        _or_none(_tuple_of(_INTEGER, "a tuple of integers")),
    ),
    "astype.dtype": _DTYPE,
    "gather_constant.gates": _or_none(_ARRAY),
    **dict.fromkeys(("grouped_mlp.slope", "merged_mlp.slope"), _REAL),
    "linspace.start": _NUMBER,
    "linspace.stop": _NUMBER,
    "reshape.shape": _INTEGERS,
    "tree_route.key": _ARRAY,
    "pstable_hash.offsets": _ARRAY,
}
"""The kind of a parameter, by its name in the signature, or by rule and name."""


class _Takes(NamedTuple):
    """What a rule takes, laid out so that a call that fits is recognised quickly."""

    signature: inspect.Signature
    positional: tuple[_Kind, ...]
    several: _Kind | None
    """The kind of all further positional arguments, where there may be any number."""
    names: dict[str, tuple[_Kind, int]]
    """What may be given by name: its kind, and its position or one past the last."""
    required: int
    """How many positional arguments have no default."""
    needed: tuple[str, ...]
    """Names without a default that cannot be given by position."""


def check_arguments(rule: Rule, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Refuse arguments that a rule does not take.

    Raises
    ------
    UncountedOperationError
        If there are more arguments than the operation has, or others.
    TypeError
        If one is missing, or of another kind. Nothing is said about the value of an array.
    """
    takes = _takes(rule)
    if not _fits(takes, args, kwargs):
        _explain(rule, takes.signature, args, kwargs)


def _fits(takes: _Takes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether all is right; where it is not, or by way of names, the slow way tells."""
    given = len(args)
    if given < takes.required or (given > len(takes.positional) and takes.several is None):
        return False
    if takes.needed and not all(name in kwargs for name in takes.needed):
        return False
    for kind, value in zip(takes.positional, args, strict=False):
        if not kind.fits(value):
            return False
    if takes.several is not None and not all(map(takes.several.fits, args[len(takes.positional) :])):
        return False
    for name, value in kwargs.items():
        known = takes.names.get(name)
        if known is None or known[1] < given or not known[0].fits(value):
            return False
    return True


def _explain(rule: Rule, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Look at every argument, and raise for the first that is wrong."""
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
                told = f"{rule.name}: expected {name} to be {kind.words}, got {_NAMES.get(got, got)}"
                raise TypeError(f"{told}{_mend(rule.name, name, kind, value)}")


_NAMES = {
    "NoneType": "None",
    "int": "an integer",
    "ndarray": "an array",
    "str": "text",
    "tuple": "a list or a tuple",
}
_MENDS = {
    "repeat.repeats": "let fit make index = numpy.repeat(numpy.arange(n), repeats): xp.take(x, index)",
}
"""What to do instead, by rule and parameter, where an array is given for a plain number."""


def _mend(rule: str, parameter: str, kind: _Kind, value: Any) -> str:
    """Say how to get from what was given to what was expected, if that is known."""
    if isinstance(value, np.ndarray):
        mend = _MENDS.get(f"{rule}.{parameter}", "")
        return f"; {mend}" if mend else ""
    parts = value if isinstance(value, tuple) else ()
    if kind.typed.startswith(("Array", "Sequence[Array")) and any(isinstance(part, tuple) for part in parts):
        return "; make arrays of lists with xp.asarray"
    return "; make an array of it with xp.asarray" if kind.typed.startswith("Array") and parts else ""


@functools.cache
def _takes(rule: Rule) -> _Takes:
    """Read a rule's signature; every parameter of it has a kind, or KeyError."""
    signature = inspect.signature(rule.run)
    positional: list[_Kind] = []
    several: _Kind | None = None
    names: dict[str, tuple[_Kind, int]] = {}
    needed: list[str] = []
    required = 0
    for name, parameter in signature.parameters.items():
        kind = _kind(rule.name, name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            several = kind
            continue
        if parameter.kind is not parameter.POSITIONAL_ONLY:
            place = (
                len(positional)
                if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                else len(signature.parameters)
            )
            names[name] = (kind, place)
        if parameter.kind is not parameter.KEYWORD_ONLY:
            positional.append(kind)
            required += parameter.default is parameter.empty
        elif parameter.default is parameter.empty:
            needed.append(name)
    return _Takes(signature, tuple(positional), several, names, required, tuple(needed))


def typed(rule: str, parameter: str) -> str:
    """Give the type of a rule's parameter, as the type stubs write it."""
    return _kind(rule, parameter).typed


def _kind(rule: str, parameter: str) -> _Kind:
    return _KINDS.get(f"{rule}.{parameter}") or _KINDS[parameter]
