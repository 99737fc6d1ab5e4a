"""Look-ups by computed address along one axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule, axes_of
from sparsebench.meter.rules.indexing import reading_plan
from sparsebench.meter.rules.kinds import Array, Axis, Integer
from sparsebench.ops.charges import is_wired, lookups

__all__ = ["RULES"]


def _take_key(x: Any, index: Any, axis: int | None) -> tuple[Any, ...]:
    if index.dtype.kind not in "iu":
        raise TypeError(f"take: expected an integer index, got {index.dtype}; use ops.quantize")
    axis = 0 if axis is None and x.ndim == 1 else axis
    if axis is None or not -x.ndim <= axis < x.ndim:
        raise ValueError(f"take: axis must be in [{-x.ndim}, {x.ndim}), got {axis}")
    return (*[slice(None)] * (axis % x.ndim), index)


def _take(x: Array, index: Array, /, *, axis: Axis = None) -> Any:
    return x[_take_key(x, index, axis)]


def _take_plan(x: Any, index: Any, /, *, axis: int | None = None) -> Plan:
    return reading_plan(x, _take_key(x, index, axis))


def _take_touched(x: Any, index: Any, /, *, axis: int | None = None) -> list[tuple[Any, Any]]:
    return [(x, _take_key(x, index, axis))]


def _along_shape(x: Any, index: Any, axis: int) -> tuple[int, list[int]]:
    """Return the axis along which is read, and the shape of the result; the other axes are broadcast."""
    if index.dtype.kind not in "iu" or index.ndim != x.ndim:
        raise TypeError(
            f"take_along_axis: expected an integer index of {x.ndim} axes, got {index.dtype}, {index.ndim}"
        )
    (along,) = axes_of(x, axis)
    others = [length for place, length in enumerate(x.shape) if place != along]
    lengths = [length for place, length in enumerate(index.shape) if place != along]
    common = list(np.broadcast_shapes(tuple(others), tuple(lengths)))
    common.insert(along, index.shape[along])
    return along, common


def _along_key(x: Any, index: Any, axis: int) -> tuple[Any, ...]:
    """Return the key that reads ``x`` along an axis."""
    along, common = _along_shape(x, index, axis)
    key: list[Any] = []
    for place, length in enumerate(x.shape):
        step = np.arange(common[place]) if length > 1 else np.zeros(common[place], dtype=np.int64)
        key.append(step.reshape([-1 if other == place else 1 for other in range(x.ndim)]))
    key[along] = np.broadcast_to(index, common)
    return tuple(key)


def _take_along_axis(x: Array, index: Array, /, *, axis: Integer = -1) -> Any:
    return x[_along_key(x, index, axis)]


def _along_plan(x: Any, index: Any, /, *, axis: int = -1) -> Plan:
    _, common = _along_shape(x, index, axis)
    addresses = math.prod(common)
    charges = FREE if is_wired(index) else lookups(index.dtype.name, addresses, [(x, 1)])
    places = addresses + sum(common)  # elements along the axis, and along the others
    return Plan(charges, addresses * x.dtype.itemsize + places * np.dtype(np.int64).itemsize)


def _along_touched(x: Any, index: Any, /, *, axis: int = -1) -> list[tuple[Any, Any]]:
    return [(x, _along_key(x, index, axis))]


RULES: tuple[Rule, ...] = (
    Rule(
        "take",
        _take,
        _take_plan,
        "as table[index]; along a later axis 1 look-up per address and element of the axes before it",
        "xp.take(table, index, axis=0)",
        touched=_take_touched,
        moves=True,
    ),
    Rule(
        "take_along_axis",
        _take_along_axis,
        _along_plan,
        "1 look-up per element of the result; 0 where the index is the model's; elements are loads",
        "xp.take_along_axis(x, index, axis=-1)",
        touched=_along_touched,
        moves=True,
    ),
)
"""The rules of look-ups."""
