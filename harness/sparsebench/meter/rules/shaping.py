"""Shapes, copies and constants: free, because nothing is computed from an input."""

from __future__ import annotations

import math
import operator
from typing import Annotated, Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule, axes_of, copy_bytes
from sparsebench.meter.rules.kinds import Array, Axes, Axis, FlagOrNone, Integers, Lengths
from sparsebench.ops.core.kinds import LENGTH

__all__ = ["RULES", "roll_each"]

_Repeats = Annotated[
    int,
    LENGTH._replace(
        words=f"{LENGTH.words}: an array would decide a shape",
        mend="let fit make index = numpy.repeat(numpy.arange(n), repeats): xp.take(x, index)",
    ),
]


def _copy_plan(x: Any, /, *_: Any, **__: Any) -> Plan:
    return Plan(FREE, x.nbytes)


def _axis_plan(x: Any, /, axis: Any = None) -> Plan:
    axes_of(x, axis)
    return Plan(FREE, 0)


def _broadcast_to(x: Array, /, shape: Lengths) -> Any:
    return np.broadcast_to(x, shape)


def _broadcast_plan(x: Any, /, shape: Any) -> Plan:
    if np.broadcast_shapes(x.shape, shape) != (shape if isinstance(shape, tuple) else (shape,)):
        raise ValueError(f"broadcast_to: {x.shape} does not broadcast to {shape}")
    # A view takes no memory, but later operations may copy it, and take time for as many elements.
    return Plan(FREE, math.prod(np.broadcast_shapes(x.shape, shape)) * x.dtype.itemsize)


def _expand_dims(x: Array, /, axis: Integers) -> Any:
    return np.expand_dims(x, axis)


def _expand_plan(x: Any, /, axis: Any) -> Plan:
    axes = axis if isinstance(axis, tuple) else (axis,)
    axes_of(np.empty((1,) * (x.ndim + len(axes))), axis)
    return Plan(FREE, 0)


def _flip(x: Array, /, *, axis: Axes = None) -> Any:
    return np.flip(x, axis)


def _matrix_transpose(x: Array, /) -> Any:
    return np.matrix_transpose(x)


def _transpose_plan(x: Any, /) -> Plan:
    if x.ndim < 2:  # noqa: PLR2004 - a stack of matrices
        raise ValueError(f"matrix_transpose: expected at least 2 axes, got {x.ndim}")
    return Plan(FREE, 0)


def _moveaxis(x: Array, source: Integers, destination: Integers, /) -> Any:
    return np.moveaxis(x, source, destination)


def _moveaxis_plan(x: Any, source: Any, destination: Any, /) -> Plan:
    if len(axes_of(x, source)) != len(axes_of(x, destination)):
        raise ValueError("moveaxis: expected as many destinations as sources")
    return Plan(FREE, 0)


def _permute_dims(x: Array, /, axes: Integers) -> Any:
    return np.transpose(x, axes)


def _permute_plan(x: Any, /, axes: Any) -> Plan:
    if len(axes_of(x, axes)) != x.ndim:
        raise ValueError(f"permute_dims: expected all {x.ndim} axes, got {axes}")
    return Plan(FREE, 0)


def _positive(x: Array, /) -> Any:
    return x.copy()


def _copy(x: Array, /) -> Any:
    return x.copy()


def _reshape(x: Array, /, shape: Integers, *, copy: FlagOrNone = None) -> Any:
    return x.copy().reshape(shape) if copy else x.reshape(shape)


def _reshape_plan(x: Any, /, shape: Any, *, copy: bool | None = None) -> Plan:
    lengths = shape if isinstance(shape, tuple) else (shape,)
    known = math.prod(length for length in lengths if length != -1)
    open_axes = lengths.count(-1)
    fits = min(lengths, default=0) >= -1 and open_axes <= 1
    if not fits or (x.size != known if not open_axes else not known or x.size % known):
        raise ValueError(f"reshape: {x.shape} does not fit {shape}")
    if copy is False and copy_bytes(x):
        raise ValueError("reshape: this would copy; leave out copy=False")
    return Plan(FREE, x.nbytes)  # a reshape may have to copy


def _squeeze(x: Array, /, axis: Integers) -> Any:
    return np.squeeze(x, axis)


def _squeeze_plan(x: Any, /, axis: Any) -> Plan:
    if any(x.shape[place] != 1 for place in axes_of(x, axis)):
        raise ValueError(f"squeeze: the axes {axis} of {x.shape} are not all of length 1")
    return Plan(FREE, 0)


def _roll(x: Array, /, shift: Integers, *, axis: Axes = None) -> Any:
    return roll_each(x, shift, axis) if isinstance(axis, tuple) and axis else np.roll(x, shift, axis=axis)


def roll_each(x: Any, shift: Any, axes: tuple[int, ...]) -> Any:
    """Roll one axis after the other: NumPy cuts k axes into 2^k pieces and copies each by itself."""
    shifts = shift if isinstance(shift, tuple) else (shift,) * len(axes)
    for places, axis in zip(shifts, axes, strict=True):
        x = np.roll(x, places, axis=axis)
    return x


def _roll_plan(x: Any, /, shift: Any, *, axis: Any = None) -> Plan:
    several = isinstance(shift, tuple)
    if several and (not isinstance(axis, tuple) or len(axis) != len(shift)):
        raise ValueError("roll: expected an axis for every shift")
    axes_of(x, axis)
    # Flattened, it may be a copy; along several axes, one result is made of another.
    again = x.nbytes * (isinstance(axis, tuple) and len(axis) > 1)
    return Plan(FREE, x.nbytes + (copy_bytes(x) if axis is None else again))


def _repeat(x: Array, repeats: _Repeats, /, *, axis: Axis = None) -> Any:
    if x.size:
        return np.repeat(x, repeats, axis=axis)
    # NumPy would copy nothing as often as requested.
    shape = tuple(
        length * (repeats if axis is not None and place == axis % x.ndim else 1)
        for place, length in enumerate(x.shape)
    )
    return np.zeros((0,) if axis is None else shape, dtype=x.dtype)


def _repeat_plan(x: Any, repeats: int, /, *, axis: int | None = None) -> Plan:
    axes_of(x, axis)
    return Plan(FREE, x.nbytes * repeats + copy_bytes(x))


def _tile(x: Array, repetitions: Lengths, /) -> Any:
    times = repetitions if isinstance(repetitions, tuple) else (repetitions,)
    if 0 not in times:
        return np.tile(x, times)
    # NumPy would repeat along the other axes first, which takes their memory.
    lengths = (*(1,) * (len(times) - x.ndim), *x.shape)
    times = (*(1,) * (x.ndim - len(times)), *times)
    return np.zeros(tuple(map(operator.mul, lengths, times)), dtype=x.dtype)


def _tile_plan(x: Any, repetitions: Any, /) -> Plan:
    times = math.prod(repetitions) if isinstance(repetitions, tuple) else repetitions
    return Plan(FREE, 2 * x.nbytes * times)  # NumPy repeats one axis after the other


RULES: tuple[Rule, ...] = (
    Rule(
        "broadcast_to",
        _broadcast_to,
        _broadcast_plan,
        "0",
        "xp.broadcast_to(b, x.shape)",
        view=True,
        wiring=True,
        moves=True,
    ),
    Rule("expand_dims", _expand_dims, _expand_plan, "0", "xp.expand_dims(x, axis=0)", view=True, wiring=True),
    Rule("flip", _flip, _axis_plan, "0", "xp.flip(x, axis=0)", view=True, wiring=True, moves=True),
    Rule("matrix_transpose", _matrix_transpose, _transpose_plan, "0", "x.mT", view=True, wiring=True),
    Rule("moveaxis", _moveaxis, _moveaxis_plan, "0", "xp.moveaxis(x, 0, -1)", view=True, wiring=True),
    Rule(
        "permute_dims",
        _permute_dims,
        _permute_plan,
        "0",
        "xp.permute_dims(x, (1, 0))",
        view=True,
        wiring=True,
    ),
    Rule("reshape", _reshape, _reshape_plan, "0", "xp.reshape(x, (-1,))", view=True, wiring=True, moves=True),
    Rule(
        "squeeze", _squeeze, _squeeze_plan, "0", "xp.squeeze(x, axis=0)", view=True, wiring=True, moves=True
    ),
    Rule("positive", _positive, _copy_plan, "0", "+x", wiring=True),
    Rule("copy", _copy, _copy_plan, "0", "xp.asarray(x, copy=True)", hidden=True, wiring=True),
    Rule("roll", _roll, _roll_plan, "0", "xp.roll(x, 1)", wiring=True, moves=True),
    Rule("repeat", _repeat, _repeat_plan, "0", "xp.repeat(x, 2)", wiring=True, moves=True),
    Rule("tile", _tile, _tile_plan, "0", "xp.tile(x, (2, 1))", wiring=True, moves=True),
)
"""The rules of shapes."""
