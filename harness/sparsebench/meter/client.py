"""What a submission sees: arrays without values, in a namespace of the array API standard.

Everything here runs on the submission's side of the meter. It holds nothing that is worth reaching for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from sparsebench.errors import UncountedOperationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sparsebench.meter.namespace import MeteredNamespace
    from sparsebench.meter.values import Description, Handle

__all__ = ["MeteredArray"]


def _refuse(what: str, mend: str) -> NoReturn:
    raise UncountedOperationError(
        f"{what} would take a value out of the meter, where it is not counted", help=mend
    )


class MeteredArray:
    """An array whose values live in the harness's process. Every operation on it is counted there."""

    __slots__ = ("__weakref__", "_about", "_namespace")
    __array_ufunc__ = None  # NumPy arrays on the left hand over to our reflected operators
    __hash__ = None  # type: ignore[assignment]  # == compares element by element, as in every array library

    def __init__(self, namespace: MeteredNamespace, about: Description) -> None:
        self._namespace = namespace
        self._about = about

    def __del__(self) -> None:
        self._namespace.transport.drop(self._about.handle)

    def __array_namespace__(self, *, api_version: str | None = None) -> MeteredNamespace:
        return self._namespace

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
        """The shape. Where it depends on values, asking costs the bits that it tells."""
        if self._about.shape is None:
            shape = self._namespace.transport.reveal_shape(self._about.handle)
            self._about = self._about._replace(shape=shape)
        return self._about.shape or ()

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def device(self) -> str:
        """Where the values are: under the meter."""
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
        """Give the array itself: there is one device."""
        if device != self.device:
            raise ValueError(f"to_device: expected 'meter', got {device!r}")
        return self

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[MeteredArray]:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return self._call("getitem", self, _without_lists(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self._call("setitem", self, _without_lists(key), value)

    def __getattr__(self, name: str) -> Any:
        """Say where NumPy's methods are: the standard has functions."""
        raise AttributeError(
            f"a metered array has no {name!r}; if it is NumPy's, use the namespace: xp.{name}(x)"
        )

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
        """Ask for an operation: gives an array, or nothing where there is no result."""
        return self._namespace.call(name, *args)

    # What would take a value out: refused, each with what to do instead.

    def __float__(self) -> float:
        _refuse("float(x)", "keep it an array; a comparison may steer `if` and `while`")

    def __int__(self) -> int:
        _refuse("int(x)", "keep it an array; use ops.quantize to make an index")

    def __complex__(self) -> complex:
        _refuse("complex(x)", "keep it an array")

    def __index__(self) -> int:  # noqa: PLE0305 - it never returns
        _refuse("using x as a Python index", "use ops.gather(index, table)")

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        _refuse("numpy.asarray(x)", "use the namespace of x: xp = x.__array_namespace__()")

    def __dlpack__(self, **_: Any) -> NoReturn:
        _refuse("DLPack", "use the namespace of x: xp = x.__array_namespace__()")

    def __dlpack_device__(self) -> NoReturn:
        _refuse("DLPack", "use the namespace of x: xp = x.__array_namespace__()")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        _refuse("pickling x", "predict returns arrays; there is nothing to store")

    def tolist(self) -> list[Any]:
        """Refuse: lists hold values."""
        _refuse("x.tolist()", "keep it an array")

    def item(self) -> Any:
        """Refuse: Python numbers hold values."""
        _refuse("x.item()", "keep it an array; a comparison may steer `if` and `while`")


def _without_lists(key: Any) -> Any:
    """Make arrays of the lists in an index, as NumPy does."""
    if isinstance(key, tuple):
        return tuple(np.asarray(part) if isinstance(part, list) else part for part in key)
    return np.asarray(key) if isinstance(key, list) else key


def _operator(name: str, *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    def operate(self: MeteredArray, other: Any) -> Any:
        if not isinstance(other, MeteredArray | np.ndarray | np.generic | bool | int | float):
            return NotImplemented
        pair = (other, self) if reflected else (self, other)
        return self._call(_boolean_name(name, self), *pair)

    return operate


def _boolean_name(name: str, array: MeteredArray) -> str:
    """``&``, ``|`` and ``^`` on booleans are the logical operations."""
    return name.replace("bitwise_", "logical_") if array.dtype == np.bool_ and name in _LOGICAL else name


_LOGICAL = {"bitwise_and", "bitwise_or", "bitwise_xor"}
_ARITHMETIC = {
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
_COMPARISONS = {
    "eq": "equal",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "ne": "not_equal",
}
for _short, _name in (*_ARITHMETIC.items(), *_COMPARISONS.items()):
    setattr(MeteredArray, f"__{_short}__", _operator(_name))
for _short, _name in _ARITHMETIC.items():
    setattr(MeteredArray, f"__r{_short}__", _operator(_name, reflected=True))
