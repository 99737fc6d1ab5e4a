"""The array API namespace of metered arrays, made from a table that is generated from the rules."""

from __future__ import annotations

import abc
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import UncountedOperationError, UsageError
from sparsebench.ground.meant import nearest
from sparsebench.meter.client.array import MeteredArray
from sparsebench.meter.client.function import check_device, function, refused, results
from sparsebench.meter.client.functions import FUNCTIONS, REFUSED
from sparsebench.meter.client.inspection import NamespaceInfo, can_cast, finfo, iinfo, isdtype, result_type
from sparsebench.meter.client.meant import PRICES, instead
from sparsebench.meter.values import DTYPES

if TYPE_CHECKING:
    from sparsebench.meter.client.transport import Transport
    from sparsebench.meter.values import Description

__all__ = ["API_VERSION", "EXTENSIONS", "MeteredNamespace"]

API_VERSION = "2024.12"
"""The version of the array API standard that is covered."""

EXTENSIONS: dict[str, tuple[str, ...]] = {
    "fft": (),
    "linalg": ("matmul", "matrix_transpose", "tensordot", "vecdot"),
}
"""The standard's extensions, and the functions that stand in the main namespace as well."""

_PLAIN: dict[str, Any] = {
    **{name: np.dtype(name) for name in DTYPES},
    "can_cast": can_cast,
    "e": math.e,
    "finfo": finfo,
    "iinfo": iinfo,
    "inf": math.inf,
    "isdtype": isdtype,
    "nan": math.nan,
    "newaxis": None,
    "pi": math.pi,
    "result_type": result_type,
}
"""The functions that take no array to the meter."""


class _MissingError(UncountedOperationError, AttributeError):
    """The error for an operation without a price: its name does not exist."""


class _Names(abc.ABC):
    """Names that are looked up in the table of functions when they are first used."""

    _prefix = ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._find(name)
        self.__dict__[name] = found
        return found

    def __dir__(self) -> list[str]:
        """Return all names, for completion."""
        start = len(self._prefix)
        mine = {name[start:] for name in FUNCTIONS if name.startswith(self._prefix)}
        return sorted({*object.__dir__(self), *(name for name in mine if "." not in name)})

    def _find(self, name: str) -> Any:
        full = self._prefix + name
        if full in FUNCTIONS:
            return function(full, FUNCTIONS[full], self._call)
        if full in REFUSED:
            return refused(full, REFUSED[full], self._call)
        raise _MissingError(f"xp.{full} has no price in the cost model", help=self._instead(name))

    def _instead(self, name: str) -> str:
        """Return what may have been meant by a name that does not exist."""
        if known := instead(self._prefix + name):
            return known
        meant = nearest(name, dir(self), near=0.75)
        guess = f"did you mean xp.{self._prefix}{meant}? " if meant else ""
        return f"{guess}{PRICES}"

    @abc.abstractmethod
    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any: ...


class _Extension(_Names):
    """``xp.linalg`` or ``xp.fft``."""

    def __init__(self, namespace: MeteredNamespace, name: str) -> None:
        self.__name__ = f"{namespace.__name__}.{name}"
        self._namespace = namespace
        self._prefix = f"{name}."
        self._shared = EXTENSIONS[name]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._shared})

    def _find(self, name: str) -> Any:
        return getattr(self._namespace, name) if name in self._shared else super()._find(name)

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._namespace.call(name, *args, **kwargs)


class MeteredNamespace(_Names):
    """The array API namespace of metered arrays.

    Parameters
    ----------
    transport
        The way to the meter.
    """

    __name__ = "sparsebench.meter"
    __array_api_version__ = API_VERSION
    array_type = MeteredArray

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def __array_namespace_info__(self) -> NamespaceInfo:
        return NamespaceInfo()

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_PLAIN, *EXTENSIONS})

    def _find(self, name: str) -> Any:
        if name in EXTENSIONS:
            return _Extension(self, name)
        return _PLAIN[name] if name in _PLAIN else super()._find(name)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Ask the meter to execute one operation."""
        # Arrays that are made in between live until the answer is there.
        ready = [self._prepare(value) for value in args]
        named = {key: self._prepare(value) for key, value in kwargs.items()} if kwargs else kwargs
        handles = tuple([_handles(value) for value in ready])
        answer = self.transport.call(name, handles, {k: _handles(v) for k, v in named.items()})
        return self.wrap(answer, name)

    _call = call

    def wrap(self, answer: Description | list[Description] | None, name: str = "") -> Any:
        """Wrap the meter's descriptions in arrays."""
        if isinstance(answer, list):
            parts = [self.array_type(self, part) for part in answer]
            told = FUNCTIONS.get(name)  # primitives are not in this namespace: their results are tuples
            if told is not None and told.fields:
                return results(name.rpartition(".")[2], told.fields)(*parts)
            return parts if told is not None and told.listed else tuple(parts)
        return None if answer is None else self.array_type(self, answer)

    def _prepare(self, value: Any) -> Any:
        """Turn an argument into metered arrays and plain Python."""
        if isinstance(value, MeteredArray):
            return self._mine(value)
        if isinstance(value, tuple | list):
            return tuple(self._prepare(item) for item in value)
        # A NumPy number that is not an integer has a width, which matters for promotion.
        if isinstance(value, np.ndarray | np.inexact):
            return self.asarray(value)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, type):
            return np.dtype(value).name
        return value.name if isinstance(value, np.dtype) else value

    def _mine(self, array: MeteredArray) -> MeteredArray:
        """Return an array of this meter; refuse those of others, whose handles name other arrays here."""
        if array._namespace is not self:  # noqa: SLF001 - both are one side of the meter
            mend = "make inputs of this block with ledger.asarray; ledger.value(y) gives a NumPy array"
            raise UsageError("an array of another block of sb.metered() was used", help=mend)
        return array

    def asarray(self, obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
        """Make a metered array from an array, a number or lists of numbers. Constants count as parameters."""
        check_device(device)
        if not isinstance(obj, MeteredArray):
            _refuse_arrays_in(obj)
            if copy is False:
                raise ValueError("asarray: numbers must be copied to the meter; leave out copy=False")
            plain = np.asarray(obj, dtype=dtype)
            return self.wrap(self.transport.constant(plain))
        cast = obj if dtype is None or obj.dtype == dtype else self.call("astype", obj, np.dtype(dtype))
        if copy is False and cast is not obj:
            raise ValueError("asarray: a cast makes a copy; leave out copy=False")
        return self.call("copy", cast) if copy and cast is obj else cast

    def astype(self, x: MeteredArray, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
        """Cast."""
        check_device(device)
        return self.call("astype", x, np.dtype(dtype), copy=copy)

    def from_dlpack(self, x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
        """Make a metered array from an array of another library. It counts as a parameter."""
        if isinstance(x, MeteredArray):
            return self.asarray(x, device=device, copy=copy)
        return self.asarray(np.from_dlpack(x), device=device, copy=copy)


def _refuse_arrays_in(obj: Any) -> None:
    """Refuse lists of metered arrays, and name how to join them: NumPy would ask each for its values."""
    if isinstance(obj, list | tuple) and any(isinstance(item, MeteredArray) for item in obj):
        mend = "use xp.stack(arrays) or xp.concat(arrays)"
        raise UncountedOperationError("asarray: expected numbers, got a list of metered arrays", help=mend)


def _handles(value: Any) -> Any:
    """Replace arrays by handles."""
    if isinstance(value, MeteredArray):
        return value._about.handle  # noqa: SLF001 - both are one side of the meter
    return tuple([_handles(item) for item in value]) if isinstance(value, tuple) else value
