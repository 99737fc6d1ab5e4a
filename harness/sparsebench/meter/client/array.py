"""The arrays that a submission sees: they have no values, and a namespace of the array API standard.

Everything here runs on the submission's side of the meter. It holds nothing that is worth an attack.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from sparsebench.errors import UncountedOperationError
from sparsebench.meter.client.functions import FUNCTIONS, REFUSED
from sparsebench.meter.client.meant import PRICES, instead, of_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sparsebench.meter.client.namespace import MeteredNamespace
    from sparsebench.meter.values import Description, Handle

__all__ = ["ARITHMETIC", "COMPARISONS", "MeteredArray"]

_NAMESPACE = "use the namespace of x, xp = x.__array_namespace__()"


def _refuse(what: str, mend: str) -> NoReturn:
    raise UncountedOperationError(
        f"{what} would take a value out of the meter, where it is not counted", help=mend
    )


class MeteredArray:
    """An array whose values live in the harness's process. Every operation on it is counted there."""

    __slots__ = ("__weakref__", "_about", "_namespace")
    __hash__ = None  # type: ignore[assignment]  # == compares element by element, as in every array library

    def __init__(self, namespace: MeteredNamespace, about: Description) -> None:
        self._namespace = namespace
        self._about = about

    def __del__(self, *, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        # When the interpreter ends nothing needs to be freed, and the transport may be half destroyed. The
        # function is a default and not a global, since globals are destroyed as well.
        if not ending():
            self._namespace.transport.drop(self._about.handle)

    def __array_namespace__(self, *, api_version: str | None = None) -> MeteredNamespace:
        return self._namespace

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Take over NumPy's element-wise functions, and operators with a NumPy array on the left."""
        name = _UFUNCS.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or kwargs:
            _refuse(f"numpy.{ufunc.__name__} with more than its arrays", "use the functions of xp")
        if name not in FUNCTIONS and name not in REFUSED:
            raise UncountedOperationError(
                f"numpy.{ufunc.__name__} has no price in the cost model", help=instead(name) or PRICES
            )
        if "logical" not in name and all(_is_boolean(value) for value in inputs):
            name = _BOOLEAN.get(name, name)
        return self._call(name, *inputs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> NoReturn:
        name = f"{func.__module__}.{func.__name__}".removeprefix("numpy.")
        _refuse(f"numpy.{name}(x)", instead(name) or f"use the namespace of x: {PRICES}")

    def __sparsebench_call__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self._namespace.call(name, *args, **kwargs)

    def __repr__(self) -> str:
        shape = "(depends on values)" if self._about.shape is None else self._about.shape
        return f"MeteredArray(shape={shape}, dtype={self._about.dtype})"

    @property
    def handle(self) -> Handle:
        """The number by which the meter knows the array."""
        return self._about.handle

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype."""
        return np.dtype(self._about.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._about.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape. If it depends on values, reading it costs the bits that it reveals."""
        if self._about.shape is None:
            shape = self._namespace.transport.reveal_shape(self._about.handle)
            self._about = self._about._replace(shape=shape)
        return self._about.shape or ()

    @property
    def known_shape(self) -> tuple[int, ...] | None:
        """The shape if it is known already, else None. Reading it costs nothing, and reveals nothing new."""
        return self._about.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def device(self) -> str:
        """The device of the values: the meter."""
        return "meter"

    @property
    def T(self) -> Any:  # noqa: N802 - the standard's name
        """The transpose of a matrix."""
        if self.ndim != 2:  # noqa: PLR2004 - a matrix
            raise ValueError(f"T: expected 2 axes, got {self.ndim}; use xp.permute_dims")
        return self.mT

    @property
    def mT(self) -> Any:  # noqa: N802 - the standard's name
        """The transpose of a stack of matrices."""
        return self._call("matrix_transpose", self)

    def to_device(self, device: str, /, *, stream: Any = None) -> MeteredArray:  # noqa: ARG002 - the standard's
        """Return the array itself: there is one device."""
        if device != self.device:
            raise ValueError(f"to_device: expected 'meter', got {device!r}")
        return self

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[MeteredArray]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return self._call("getitem", self, _plain_key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self._call("setitem", self, _plain_key(key), value)

    def __getattr__(self, name: str) -> Any:
        """Raise an error that names the function for a method of NumPy: the standard has functions."""
        raise AttributeError(f"a metered array has no {name!r}; {of_method(name)}")

    def __bool__(self) -> bool:
        return self._namespace.transport.reveal_bit(self._about.handle)

    def __abs__(self) -> Any:
        return self._call("abs", self)

    def __invert__(self) -> Any:
        return self._call("logical_not" if self.dtype == np.bool_ else "bitwise_invert", self)

    def __neg__(self) -> Any:
        return self._call("negative", self)

    def __pos__(self) -> Any:
        return self._call("positive", self)

    def _call(self, name: str, *args: Any) -> Any:
        """Ask for an operation; return its array, or None if there is no result."""
        return self._namespace.call(name, *args)

    # Methods that would reveal a value are refused, each with what to do instead.

    def __float__(self) -> float:
        _refuse("float(x)", "keep it an array; a comparison may steer `if` and `while`")

    def __int__(self) -> int:
        _refuse("int(x)", "keep it an array; use ops.quantize to make an index")

    def __complex__(self) -> complex:
        _refuse("complex(x)", "keep it an array")

    def __format__(self, how: str) -> str:
        """Return the array's text, as ``f"{x}"`` does; refuse formats of numbers, which need values."""
        if how:
            _refuse(
                f"format(x, {how!r})",
                "print it without a format; in sb.metered(), ledger.value(x) shows values",
            )
        return repr(self)

    def __round__(self, ndigits: Any = None) -> int:
        _refuse("round(x)", "use ops.quantize(x, levels=m)")

    def __index__(self) -> int:  # noqa: PLE0305 - it never returns
        _refuse("using x as a Python index", "use ops.gather(index, table)")

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        _refuse(
            "numpy.asarray(x)", f"{_NAMESPACE}: xp.stack([x, y]), or ops.gather(x, table) to index a table"
        )

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None
    ) -> NoReturn:
        _refuse("DLPack", _NAMESPACE)

    def __dlpack_device__(self) -> NoReturn:
        _refuse("DLPack", _NAMESPACE)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        _refuse("pickling x", "predict returns arrays; there is nothing to store")

    def tolist(self) -> list[Any]:
        """Refuse the call: lists hold values."""
        _refuse("x.tolist()", "keep it an array")

    def item(self) -> Any:
        """Refuse the call: Python numbers hold values."""
        _refuse("x.item()", "keep it an array; a comparison may steer `if` and `while`")


_UFUNCS = {
    "absolute": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "conjugate": "conj",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "power": "pow",
    "right_shift": "bitwise_right_shift",
}
"""NumPy's names of the standard's functions, where they differ."""

_BOOLEAN = {
    "bitwise_and": "logical_and",
    "bitwise_invert": "logical_not",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
}


def _is_boolean(value: Any) -> bool:
    return getattr(value, "dtype", type(value)) in (bool, np.bool_)


def _plain_key(key: Any) -> Any:
    """Turn the lists in an index into arrays, and the bounds of its slices into integers, as NumPy does."""
    return tuple(map(_plain_part, key)) if isinstance(key, tuple) else _plain_part(key)


def _plain_part(part: Any) -> Any:
    if isinstance(part, slice):
        return slice(_bound(part.start), _bound(part.stop), _bound(part.step))
    return np.asarray(part) if isinstance(part, list) else part


def _bound(value: Any) -> int | None:
    """Return a bound as a Python integer; a metered array refuses this."""
    return None if value is None else operator.index(value)


_OPERANDS = (MeteredArray, np.ndarray, np.generic, bool, int, float, complex)


def _no_operand(name: str, other: Any) -> str:
    got = type(other).__name__
    mend = "use a number" if isinstance(other, str) else f"use xp.asarray({got}), or make the array in fit"
    return f"{name}: expected an array or a number beside a metered array, got a {got}; {mend}"


def _operator(name: str, *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    on_booleans = _BOOLEAN.get(name, name)

    def operate(self: MeteredArray, other: Any) -> Any:
        if not isinstance(other, _OPERANDS):
            # Python would repeat a list x times, and would call every list unequal, even one of the same
            # numbers.
            if isinstance(other, list | tuple | range) or (isinstance(other, str) and name in _NO_COMPARISON):
                raise TypeError(_no_operand(name, other))
            return NotImplemented
        chosen = on_booleans if self._about.dtype == "bool" else name
        return self._call(chosen, other, self) if reflected else self._call(chosen, self, other)

    return operate


ARITHMETIC = {
    "add": "add",
    "and": "bitwise_and",
    "floordiv": "floor_divide",
    "lshift": "bitwise_left_shift",
    "matmul": "matmul",
    "mod": "remainder",
    "mul": "multiply",
    "or": "bitwise_or",
    "pow": "pow",
    "rshift": "bitwise_right_shift",
    "sub": "subtract",
    "truediv": "divide",
    "xor": "bitwise_xor",
}
COMPARISONS = {
    "eq": "equal",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "ne": "not_equal",
}
_NO_COMPARISON = frozenset(ARITHMETIC.values())
for _short, _name in (*ARITHMETIC.items(), *COMPARISONS.items()):
    setattr(MeteredArray, f"__{_short}__", _operator(_name))
for _short, _name in ARITHMETIC.items():
    setattr(MeteredArray, f"__r{_short}__", _operator(_name, reflected=True))
