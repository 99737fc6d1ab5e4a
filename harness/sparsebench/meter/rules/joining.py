"""Joining and splitting arrays: free, because nothing is computed from an input."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np

from sparsebench.meter.engine.memory import PER_HANDLE
from sparsebench.meter.rules.base import FREE, Plan, Rule, axes_of, common_dtype
from sparsebench.meter.rules.kinds import Array, Arrays, Axis, Integer
from sparsebench.ops.core.kinds import one_of

__all__ = ["RULES", "concat_plan"]

_MOST_AXES = 64
_Indexing = Annotated[Any, one_of("xy", "ij")]


def _nothing_read(*arrays: Any, **_: Any) -> list[tuple[Any, Any]]:
    """Return that views read nothing."""
    return [(array, None) for array in arrays]


def _concat(arrays: Arrays, /, *, axis: Axis = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def concat_plan(arrays: Any, /, *, axis: int | None = 0) -> Plan:
    """Return the plan of joining arrays along an existing axis.

    Raises
    ------
    ValueError
        If their shapes differ along other axes.
    """
    if axis is not None:
        (along,) = axes_of(arrays[0], axis)
        shapes = {(*a.shape[:along], *a.shape[along + 1 :], a.ndim) for a in arrays}
        if len(shapes) > 1:
            raise ValueError(f"concat: the shapes {[a.shape for a in arrays]} differ beside axis {axis}")
    return Plan(FREE, sum(a.size for a in arrays) * common_dtype(*arrays).itemsize)


def _stack(arrays: Arrays, /, *, axis: Integer = 0) -> Any:
    return np.stack(arrays, axis=axis)


def _stack_plan(arrays: Any, /, *, axis: int = 0) -> Plan:
    axes_of(np.empty((1,) * (arrays[0].ndim + 1)), axis)
    if len({a.shape for a in arrays}) > 1:
        raise ValueError(f"stack: the shapes {[a.shape for a in arrays]} differ")
    return Plan(FREE, sum(a.size for a in arrays) * common_dtype(*arrays).itemsize)


def _unstack(x: Array, /, *, axis: Integer = 0) -> tuple[Any, ...]:
    rows = np.moveaxis(x, axis, 0)
    return tuple(rows[row, ...] for row in range(len(rows)))


def _unstack_plan(x: Any, /, *, axis: int = 0) -> Plan:
    (along,) = axes_of(x, axis)
    return Plan(FREE, x.shape[along] * PER_HANDLE)


def _broadcast_arrays(*arrays: Array) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    return tuple(np.broadcast_to(array, shape) for array in arrays)


def _broadcast_plan(*arrays: Any) -> Plan:
    size = math.prod(np.broadcast_shapes(*(array.shape for array in arrays)))
    # Views take no memory, but later operations may copy them, and take time for as many elements.
    return Plan(FREE, sum(size * array.itemsize + PER_HANDLE for array in arrays))


def _meshgrid(*arrays: Array, indexing: _Indexing = "xy") -> tuple[Any, ...]:
    return tuple(np.meshgrid(*arrays, indexing=indexing))


def _meshgrid_plan(*arrays: Any, indexing: str = "xy") -> Plan:  # noqa: ARG001 - the signature of the rule
    if any(array.ndim > 1 for array in arrays) or len(arrays) > _MOST_AXES:
        raise ValueError(f"meshgrid: expected at most {_MOST_AXES} arrays of one axis")
    size = math.prod(array.size for array in arrays)
    return Plan(FREE, sum(size * array.itemsize + PER_HANDLE for array in arrays))


RULES: tuple[Rule, ...] = (
    Rule(
        "broadcast_arrays",
        _broadcast_arrays,
        _broadcast_plan,
        "0",
        "xp.broadcast_arrays(x, b)",
        touched=_nothing_read,
        wiring=True,
        moves=True,
        several=True,
        listed=True,
    ),
    Rule("concat", _concat, concat_plan, "0", "xp.concat([x, y])", wiring=True, moves=True),
    Rule(
        "meshgrid",
        _meshgrid,
        _meshgrid_plan,
        "0",
        "xp.meshgrid(x, y)",
        wiring=True,
        moves=True,
        several=True,
        listed=True,
    ),
    Rule("stack", _stack, _stack_plan, "0", "xp.stack([x, y])", wiring=True, moves=True),
    Rule(
        "unstack",
        _unstack,
        _unstack_plan,
        "0; a length that depends on values must be paid for before: ask for x.shape",
        "xp.unstack(x, axis=-1)",
        touched=_nothing_read,
        wiring=True,
        moves=True,
        several=True,
        tells_length=True,
    ),
)
"""The rules of joints."""
