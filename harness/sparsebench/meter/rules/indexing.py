"""Indexing: free by position and by paid-for mask, a look-up by computed address."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule
from sparsebench.ops.charges import Charge

__all__ = ["RULES"]

_INDEX_BYTES = 8


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _arrays(key: Any) -> list[Any]:
    return [part for part in _parts(key) if isinstance(part, np.ndarray)]


def _check(key: Any) -> None:
    """Refuse mixtures whose price would be ambiguous."""
    kinds = {array.dtype.kind for array in _arrays(key)}
    if not kinds <= {"b", "i", "u"}:
        raise TypeError(
            "an index must be integers or booleans; use ops.quantize to make an integer of a real number"
        )
    if "b" in kinds and len(_arrays(key)) > 1:
        raise TypeError("a boolean mask cannot be mixed with other index arrays; select in two steps")


def _is_mask(key: Any) -> bool:
    return any(array.dtype == np.bool_ for array in _arrays(key))


def _addresses(key: Any) -> int:
    return math.prod(np.broadcast_shapes(*(array.shape for array in _arrays(key))))


def _plan(x: Any, key: Any) -> Plan:
    """Price reading or writing ``x[key]``."""
    _check(key)
    if not _arrays(key):
        return Plan(FREE, 0)
    if _is_mask(key):
        return Plan(FREE, x.nbytes)
    addresses = _addresses(key)
    indexed = sum(isinstance(part, int | np.ndarray) for part in _parts(key))
    width = math.prod(x.shape[indexed:])  # an upper bound where slices stand between the indices
    dtype = np.result_type(*(array.dtype for array in _arrays(key))).name
    charges = (Charge("lookup", dtype, addresses), Charge("load", x.dtype.name, addresses * width))
    return Plan(charges, addresses * width * x.dtype.itemsize)


def _getitem(x: Any, key: Any, /) -> Any:
    return x[key]


def _getitem_touched(x: Any, key: Any, /) -> list[tuple[Any, Any]]:
    return [(x, key if _arrays(key) else None)]


def _getitem_secret_rows(_x: Any, key: Any, /) -> int:
    return int(_arrays(key)[0].size) if _is_mask(key) else 0


def _setitem(x: Any, key: Any, value: Any, /) -> None:
    x[key] = value


def _setitem_plan(x: Any, key: Any, value: Any, /) -> Plan:  # noqa: ARG001 - the signature of the rule
    return Plan(_plan(x, key).charges, 0)


def _take_key(x: Any, index: Any, axis: int | None) -> tuple[Any, ...]:
    if index.dtype.kind not in "iu":
        raise TypeError(f"take: expected an integer index, got {index.dtype}; use ops.quantize")
    axis = 0 if axis is None and x.ndim == 1 else axis
    if axis is None or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"take: axis must be in [{-x.ndim}, {x.ndim}), got {axis}")
    return (*[slice(None)] * (axis % x.ndim), index)


def _take(x: Any, index: Any, /, *, axis: int | None = None) -> Any:
    return x[_take_key(x, index, axis)]


def _take_plan(x: Any, index: Any, /, *, axis: int | None = None) -> Plan:
    where = len(_take_key(x, index, axis)) - 1
    loads = index.size * (x.size // x.shape[where] if x.shape[where] else 0)
    charges = (Charge("lookup", index.dtype.name, index.size), Charge("load", x.dtype.name, loads))
    return Plan(charges, loads * x.dtype.itemsize)


def _take_touched(x: Any, index: Any, /, *, axis: int | None = None) -> list[tuple[Any, Any]]:
    return [(x, _take_key(x, index, axis))]


def _along_key(x: Any, index: Any, axis: int) -> tuple[Any, ...]:
    if index.dtype.kind not in "iu" or index.ndim != x.ndim:
        raise TypeError(
            f"take_along_axis: expected an integer index of {x.ndim} axes, got {index.dtype}, {index.ndim}"
        )
    grid = list(np.ogrid[tuple(slice(0, length) for length in index.shape)])
    grid[axis] = index
    return tuple(grid)


def _take_along_axis(x: Any, index: Any, /, *, axis: int = -1) -> Any:
    return x[_along_key(x, index, axis)]


def _along_plan(x: Any, index: Any, /, *, axis: int = -1) -> Plan:
    _along_key(x, index, axis)
    charges = (Charge("lookup", index.dtype.name, index.size), Charge("load", x.dtype.name, index.size))
    return Plan(charges, index.size * x.dtype.itemsize)


def _along_touched(x: Any, index: Any, /, *, axis: int = -1) -> list[tuple[Any, Any]]:
    return [(x, _along_key(x, index, axis))]


def _nonzero_plan(x: Any, /) -> Plan:
    charges = FREE if x.dtype == np.bool_ else (Charge("cmp", x.dtype.name, x.size),)
    return Plan(charges, x.size * x.ndim * _INDEX_BYTES)


def _astype(x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
    return x.astype(dtype, copy=copy)


def _astype_plan(x: Any, dtype: Any, /, *, copy: bool = True) -> Plan:  # noqa: ARG001 - the signature of the rule
    target = np.dtype(dtype)
    nbytes = x.size * target.itemsize
    if target == np.bool_ and x.dtype != np.bool_:
        return Plan((Charge("cmp", x.dtype.name, x.size),), nbytes)
    return Plan(FREE, nbytes)


RULES: tuple[Rule, ...] = (
    Rule(
        "getitem",
        _getitem,
        _plan,
        "0 by position, slice or mask; 1 look-up per address of integer arrays, its elements counted as loads",
        "x[mask], x[:, 0], table[index]",
        touched=_getitem_touched,
        secret_rows=_getitem_secret_rows,
        hidden=True,
    ),
    Rule(
        "setitem",
        _setitem,
        _setitem_plan,
        "as reading the same elements",
        "out[mask] = y",
        touched=lambda x, *_: ((x, None),),
        hidden=True,
    ),
    Rule(
        "take",
        _take,
        _take_plan,
        "1 look-up per address; its elements are counted as loads",
        "xp.take(table, index, axis=0)",
        touched=_take_touched,
    ),
    Rule(
        "take_along_axis",
        _take_along_axis,
        _along_plan,
        "1 look-up per address; its elements are counted as loads",
        "xp.take_along_axis(x, index, axis=-1)",
        touched=_along_touched,
    ),
    Rule(
        "nonzero",
        np.nonzero,
        _nonzero_plan,
        "0 for booleans, which were paid for; else 1 comparison per element",
        "xp.nonzero(x > 0.0)",
        secret_rows=lambda x, /: int(x.size),
    ),
    Rule(
        "astype",
        _astype,
        _astype_plan,
        "0 between real widths, from integer to real and from boolean; to boolean 1 comparison per element; "
        "from real to integer refused",
        "xp.astype(x, xp.float64)",
    ),
)
"""The rules of indexing and casting."""
