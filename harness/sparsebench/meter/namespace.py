"""The array API namespace of metered arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import UncountedOperationError
from sparsebench.meter.client import MeteredArray
from sparsebench.meter.rules import REFUSED, RULES
from sparsebench.meter.values import DTYPES

if TYPE_CHECKING:
    from sparsebench.meter.transport import Transport
    from sparsebench.meter.values import Description

__all__ = ["MeteredNamespace"]

_DTYPES = {name: np.dtype(name) for name in DTYPES}
_CONSTANTS = {"e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None, "pi": math.pi}
_DTYPE_FUNCTIONS = {"can_cast": np.can_cast, "finfo": np.finfo, "iinfo": np.iinfo, "isdtype": np.isdtype}


class MeteredNamespace:
    """The array API namespace of metered arrays, generated from the rule table."""

    __name__ = "sparsebench.meter"

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def __getattr__(self, name: str) -> Any:
        if name in _DTYPES:
            return _DTYPES[name]
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name in _DTYPE_FUNCTIONS:
            return _DTYPE_FUNCTIONS[name]
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in REFUSED and (name not in RULES or RULES[name].hidden):
            message = f"xp.{name} has no price in the cost model"
            raise UncountedOperationError(message, help="docs/cost-model.md lists what has")
        return lambda *args, **kwargs: self.call(name, *args, **kwargs)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Ask the meter to execute one operation."""
        # Arrays that are made on the way live until the answer is there.
        ready = [self._prepare(value) for value in args]
        named = {key: self._prepare(value) for key, value in kwargs.items()}
        handles = tuple(_handles(value) for value in ready)
        return self.wrap(self.transport.call(name, handles, {k: _handles(v) for k, v in named.items()}))

    def wrap(self, answer: Description | list[Description] | None) -> Any:
        """Put arrays around what the meter tells."""
        if isinstance(answer, list):
            return tuple(MeteredArray(self, part) for part in answer)
        return None if answer is None else MeteredArray(self, answer)

    def _prepare(self, value: Any) -> Any:
        """Turn an argument into metered arrays and plain Python."""
        if isinstance(value, tuple | list):
            return tuple(self._prepare(item) for item in value)
        if isinstance(value, np.floating):  # it has a width, which takes part in promotion
            return self.asarray(value)
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            return self.asarray(value)
        if isinstance(value, type):
            return np.dtype(value).name
        return value.name if isinstance(value, np.dtype) else value

    def asarray(self, obj: Any, /, *, dtype: Any = None, copy: bool | None = None) -> Any:
        """Make a metered array of an array, a number or lists of numbers. Constants count as parameters."""
        if not isinstance(obj, MeteredArray):
            plain = np.asarray(obj, dtype=dtype)
            return self.wrap(self.transport.constant(plain))
        cast = obj if dtype is None or obj.dtype == dtype else self.call("astype", obj, np.dtype(dtype))
        return self.call("copy", cast) if copy else cast

    def astype(self, x: MeteredArray, dtype: Any, /, *, copy: bool = True) -> Any:
        """Cast."""
        return self.call("astype", x, np.dtype(dtype), copy=copy)

    def result_type(self, *arrays_and_dtypes: Any) -> np.dtype[Any]:
        """Give the dtype that NumPy's promotion gives."""
        return np.result_type(*(getattr(value, "dtype", value) for value in arrays_and_dtypes))


def _handles(value: Any) -> Any:
    """Put handles in the place of arrays."""
    if isinstance(value, tuple):
        return tuple(_handles(item) for item in value)
    return value.handle if isinstance(value, MeteredArray) else value
