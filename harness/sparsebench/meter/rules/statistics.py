"""Spreads, running sums and differences along axes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.base import COUNTED, Plan, Rule, axes_of, common_dtype, lanes
from sparsebench.meter.rules.casting import prepared
from sparsebench.meter.rules.complexes import charged, refuse_complex
from sparsebench.meter.rules.joining import concat_plan
from sparsebench.meter.rules.kinds import (
    Array,
    ArrayOrNone,
    Axes,
    Axis,
    DTypeOrNone,
    Flag,
    Integer,
    Length,
    Real,
)
from sparsebench.meter.rules.reductions import folded_bytes, seen_size
from sparsebench.ops.charges import Charge
from sparsebench.ops.core import steady

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES"]


def _spread(lane: Any, *, axis: int, correction: float) -> Any:
    """Return the mean squared difference from the mean: ``numpy.var`` would warn if the divisor is 0."""
    length = lane.shape[axis]
    mean = np.divide(np.sum(lane, axis=axis, keepdims=True), length)
    squares = np.square(lane - mean)
    return np.divide(np.sum(squares, axis=axis), max(length - correction, 0))


def _var(x: Array, /, *, axis: Axes = None, correction: Real = 0.0, keepdims: Flag = False) -> Any:
    spread = functools.partial(_spread, correction=correction)
    return steady.fold(spread, x, axes_of(x, axis), keepdims=keepdims)


def _std(x: Array, /, *, axis: Axes = None, correction: Real = 0.0, keepdims: Flag = False) -> Any:
    return np.sqrt(_var(x, axis=axis, correction=correction, keepdims=keepdims))


def _var_plan(name: str, x: Any, /, *, axis: Any = None, **_: Any) -> Plan:
    refuse_complex(name, x.dtype)
    outputs, length = lanes(x, axis)
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)
    steps = outputs * max(length - 1, 0)
    charges = [
        Charge("add", dtype.name, 2 * steps + x.size),
        Charge("mul", dtype.name, x.size),
        Charge("div", dtype.name, 2 * outputs),
    ]
    if name == "std":
        charges.append(Charge("sqrt", dtype.name, outputs))
    nbytes = folded_bytes(x, axis) + (2 * seen_size(x, axis) + 4 * outputs) * dtype.itemsize
    return Plan(tuple(charges), nbytes)


def _running(function: Callable[..., Any], initial: int) -> Callable[..., Any]:
    def run(
        x: Array, /, *, axis: Axis = None, dtype: DTypeOrNone = None, include_initial: Flag = False
    ) -> Any:
        along = -1 if axis is None else axis
        # Always along contiguous memory: NumPy may use other code for other layouts.
        lane = np.ascontiguousarray(
            np.moveaxis(x if dtype is None else x.astype(dtype, copy=False), along, -1)
        )
        out = function(lane, axis=-1, dtype=dtype)
        if include_initial:
            first = np.full((*out.shape[:-1], 1), initial, dtype=out.dtype)
            out = np.concatenate((first, out), axis=-1)
        return np.moveaxis(out, -1, along)

    return run


def _running_plan(
    name: str,
    operation: str,
    x: Any,
    /,
    *,
    axis: int | None = None,
    dtype: Any = None,
    include_initial: bool = False,
) -> Plan:
    if axis is None and x.ndim != 1:
        raise ValueError(f"{name}: expected an axis, because x has {x.ndim} axes")
    target, cast, _ = prepared(name, x, dtype)
    along = -1 if axis is None else axis
    outputs, length = lanes(x, along)
    charges = charged(operation, target, outputs * max(length - 1, 0))
    casted = x.size * target.itemsize * (target != x.dtype)  # NumPy makes a copy to accumulate small integers
    turned = 0 if np.moveaxis(x, along, -1).flags.c_contiguous else x.size * target.itemsize
    nbytes = casted + turned + x.size * target.itemsize
    if include_initial:
        nbytes += (x.size + 2 * outputs) * target.itemsize
    return Plan(cast + charges, nbytes)


def _joined(x: Any, prepend: Any, append: Any) -> tuple[Any, ...]:
    return tuple(part for part in (prepend, x, append) if part is not None)


def _diff(
    x: Array,
    /,
    *,
    axis: Integer = -1,
    n: Length = 1,
    prepend: ArrayOrNone = None,
    append: ArrayOrNone = None,
) -> Any:
    parts = _joined(x, prepend, append)
    out = x.copy() if len(parts) == 1 and not n else x
    out = np.concatenate(parts, axis=axis) if len(parts) > 1 else out
    rounds = min(n, out.shape[axis])  # this many make an axis empty, and n may be huge
    if out.size:
        return np.diff(out, n=rounds, axis=axis)
    return np.moveaxis(np.moveaxis(out, axis, 0)[rounds:], 0, axis).copy()  # no rounds over nothing


def _diff_plan(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Plan:
    parts = _joined(x, prepend, append)
    joined = concat_plan(parts, axis=axis)
    dtype = common_dtype(*parts)
    if dtype == np.bool_:
        raise TypeError("diff: expected numbers, got booleans; use xp.not_equal")
    outputs, _ = lanes(x, axis)
    length = sum(part.shape[axis] for part in parts)
    rounds = min(n, length)
    steps = outputs * (rounds * length - rounds * (rounds + 1) // 2)
    nbytes = (joined.nbytes if len(parts) > 1 or not n else 0) + 2 * outputs * length * dtype.itemsize
    return Plan(charged("subtract", dtype, steps), nbytes)


_VAR = "k terms: the mean and k subtractions, k multiplications, k - 1 additions, 1 division"


def _sums(name: str, function: Callable[..., Any], initial: int, operation: str, words: str) -> Rule:
    return Rule(
        name,
        _running(function, initial),
        functools.partial(_running_plan, name, operation),
        f"k terms: k - 1 {words}",
        f"xp.{name}(x, axis=-1)",
        source=COUNTED,
    )


def _spreads(name: str, run: Callable[..., Any], price: str) -> Rule:
    plan = functools.partial(_var_plan, name)
    return Rule(name, run, plan, price, f"xp.{name}(x, axis=-1)", source=COUNTED)


RULES: tuple[Rule, ...] = (
    _spreads("var", _var, _VAR),
    _spreads("std", _std, f"{_VAR}, 1 square root"),
    _sums("cumulative_sum", np.cumsum, 0, "add", "additions, of complex numbers 2 each"),
    _sums(
        "cumulative_prod",
        np.cumprod,
        1,
        "multiply",
        "multiplications, of complex numbers 4 and 2 additions each",
    ),
    Rule(
        "diff",
        _diff,
        _diff_plan,
        "k terms: k - 1 subtractions, of complex numbers 2 each; n times, each on 1 term less",
        "xp.diff(x, axis=-1)",
        source=COUNTED,
    ),
)
"""The rules of statistics."""
