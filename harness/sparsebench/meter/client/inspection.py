"""Questions about dtypes and the namespace itself: answered on the submission's side, at no price."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sparsebench.meter.values import DTYPES

__all__ = ["NamespaceInfo", "can_cast", "finfo", "iinfo", "isdtype", "result_type"]

_KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}


class FloatInfo(NamedTuple):
    """The limits of a real dtype, as Python numbers."""

    bits: int
    """Bits of a number; of one component, where it is complex."""
    eps: float
    """Difference between 1 and the next number."""
    max: float
    """Largest number."""
    min: float
    """Smallest number."""
    smallest_normal: float
    """Smallest positive number of full precision."""
    dtype: np.dtype[Any]
    """The real dtype."""


class IntegerInfo(NamedTuple):
    """The limits of an integer dtype, as Python numbers."""

    bits: int
    """Bits of a number."""
    max: int
    """Largest number."""
    min: int
    """Smallest number."""
    dtype: np.dtype[Any]
    """The dtype."""


def _dtype(value: Any) -> np.dtype[Any]:
    found: np.dtype[Any] = np.dtype(_given(value))
    return found


def _given(value: Any) -> Any:
    """Put dtypes in the place of arrays. NumPy's types have an attribute of that name, which is none."""
    return value if isinstance(value, type) else getattr(value, "dtype", value)


def finfo(type: Any, /) -> FloatInfo:  # noqa: A002 - the standard's name
    """Return the limits of a real dtype or array."""
    found = np.finfo(_dtype(type))
    limits = (float(found.eps), float(found.max), float(found.min), float(found.smallest_normal))
    return FloatInfo(int(found.bits), *limits, np.dtype(found.dtype))


def iinfo(type: Any, /) -> IntegerInfo:  # noqa: A002 - the standard's name
    """Return the limits of an integer dtype or array."""
    found = np.iinfo(_dtype(type))
    return IntegerInfo(int(found.bits), int(found.max), int(found.min), np.dtype(found.dtype))


def isdtype(dtype: Any, kind: Any) -> bool:
    """Return whether a dtype is of one of the standard's kinds, or of one of several.

    Raises
    ------
    ValueError
        If the kind does not exist.
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, one) for one in kind)
    if not isinstance(kind, str):
        return bool(_dtype(dtype) == np.dtype(kind))
    if kind not in _KINDS:
        raise ValueError(f"isdtype: expected one of {', '.join(map(repr, _KINDS))}, got {kind!r}")
    return _dtype(dtype).kind in _KINDS[kind]


def can_cast(from_: Any, to: Any, /) -> bool:
    """Return whether a dtype or an array can be cast by promotion."""
    return bool(np.can_cast(_dtype(from_), np.dtype(to)))


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """Return the dtype that NumPy's promotion gives."""
    return np.result_type(*map(_given, arrays_and_dtypes))


class NamespaceInfo:
    """The result of the standard's ``__array_namespace_info__``."""

    def capabilities(self) -> dict[str, Any]:
        """Return what is supported."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        """Return the device of new arrays."""
        return "meter"

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype[Any]]:  # noqa: ARG002 - there is one
        """Return the dtypes of new arrays."""
        names = {"real floating": "float64", "complex floating": "complex128"}
        names |= {"integral": "int64", "indexing": "int64"}
        return {kind: np.dtype(name) for kind, name in names.items()}

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype[Any]]:  # noqa: ARG002
        """Return the dtypes of a kind; all of them for None."""
        found = {name: np.dtype(name) for name in DTYPES}
        return {name: dtype for name, dtype in found.items() if kind is None or isdtype(dtype, kind)}

    def devices(self) -> list[str]:
        """Return all devices."""
        return ["meter"]
