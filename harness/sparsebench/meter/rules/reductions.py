"""Reductions along axes."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.base import COUNTED, DEFINITION, FREE, Plan, Rule, axes_of, lanes
from sparsebench.meter.rules.casting import dtype_of_sums, prepared
from sparsebench.meter.rules.complexes import charged, component, refuse_complex
from sparsebench.meter.rules.kinds import Array, Axes, Axis, DTypeOrNone, Flag
from sparsebench.ops.charges import Charge
from sparsebench.ops.core import steady

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES", "folded_bytes", "seen_size"]

_OPERATIONS = {"sum": "add", "prod": "multiply"}
_INDEX = np.dtype(np.int64)


def _goes_slicewise(x: Any, axes: tuple[int, ...]) -> bool:
    """Return whether :func:`steady.fold` combines whole slices."""
    return bool(axes) and axes[-1] + 1 < x.ndim and axes[-1] - axes[0] + 1 == len(axes)


def seen_size(x: Any, axis: Any) -> int:
    """Return the elements that :func:`steady.fold` reduces: it doubles slices of one element."""
    axes = axes_of(x, axis)
    doubled = _goes_slicewise(x, axes) and math.prod(x.shape[axes[-1] + 1 :]) == 1
    return int(x.size) * (1 + doubled)


def folded_bytes(x: Any, axis: Any) -> int:
    """Return the bytes of the copies that :func:`steady.fold` makes of ``x``."""
    axes = axes_of(x, axis)
    if _goes_slicewise(x, axes):
        seen = seen_size(x, axis)
        doubled = seen * x.itemsize if seen > x.size else 0
        return doubled + lanes(x, axis)[0] + (0 if x.flags.c_contiguous else int(x.nbytes))
    kept = (place for place in range(x.ndim) if place not in axes)
    return 0 if np.transpose(x, (*kept, *axes)).flags.c_contiguous else int(x.nbytes)


def _folding(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Array, /, *, axis: Axes = None, keepdims: Flag = False) -> Any:
        return steady.fold(function, x, axes_of(x, axis), keepdims=keepdims)

    return run


def _choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Array, /, *, axis: Axis = None, keepdims: Flag = False) -> Any:
        return steady.fold(function, x, axes_of(x, axis), keepdims=keepdims)

    return run


def _adding(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Array, /, *, axis: Axes = None, dtype: DTypeOrNone = None, keepdims: Flag = False) -> Any:
        wide = x if dtype is None else x.astype(dtype, copy=False)
        return steady.fold(
            functools.partial(function, dtype=dtype), wide, axes_of(x, axis), keepdims=keepdims
        )

    return run


def _adding_plan(
    name: str,
    x: Any,
    /,
    *,
    axis: Any = None,
    dtype: Any = None,
    keepdims: bool = False,  # noqa: ARG001 - the signature of the rule
) -> Plan:
    """Return a plan of k - 1 operations per lane. A sum of booleans is a sum of integers."""
    target, cast, nbytes = prepared(name, x, dtype)
    outputs, length = lanes(x, axis)
    steps = charged(_OPERATIONS[name], target, outputs * max(length - 1, 0))
    folded = folded_bytes(x, axis) * target.itemsize // x.itemsize if nbytes else folded_bytes(x, axis)
    return Plan(cast + steps, nbytes + folded + outputs * target.itemsize)


def _mean(lane: Any, *, axis: int) -> Any:
    """Divide a sum: ``numpy.mean`` would warn if it is empty."""
    return steady.evaluate(np.divide, np.sum(lane, axis=axis), lane.shape[axis])


def _mean_plan(x: Any, /, *, axis: Any = None, **_: Any) -> Plan:
    outputs, length = lanes(x, axis)
    added = dtype_of_sums("mean", x.dtype, None)
    result = x.dtype if x.dtype.kind in "fc" else np.dtype(np.float64)
    parts = 2 if x.dtype.kind == "c" else 1  # division by a real number
    charges = charged("add", added, outputs * max(length - 1, 0))
    divisions = Charge("div", component(result).name, parts * outputs)
    nbytes = outputs * (added.itemsize + result.itemsize)
    return Plan((*charges, divisions), folded_bytes(x, axis) + nbytes)


def _best_plan(name: str, x: Any, /, *, axis: Any = None, **_: Any) -> Plan:
    refuse_complex(name, x.dtype)
    outputs, length = lanes(x, axis)
    if not length:
        raise ValueError(f"{name}: expected at least one element to choose from, got shape {x.shape}")
    charges = (Charge("cmp", x.dtype.name, outputs * (length - 1)),)
    if not name.startswith("arg"):
        return Plan(charges, folded_bytes(x, axis) + outputs * x.itemsize)
    # NumPy transposes the array in which it finds places, so that lanes are contiguous.
    turned = seen_size(x, axis) * x.itemsize if _goes_slicewise(x, axes_of(x, axis)) else 0
    return Plan(charges, folded_bytes(x, axis) + turned + outputs * _INDEX.itemsize)


def _truths(x: Any) -> tuple[Charge, ...]:
    """Compare every number with 0."""
    return FREE if x.dtype == np.bool_ else charged("not_equal", x.dtype, x.size)


def _truth_plan(x: Any, /, *, axis: Any = None, **_: Any) -> Plan:
    outputs, length = lanes(x, axis)
    charges = (*_truths(x), Charge("logic", "bool", outputs * max(length - 1, 0)))
    return Plan(charges, folded_bytes(x, axis) + outputs)


def _count(x: Array, /, *, axis: Axes = None, keepdims: Flag = False) -> Any:
    return np.count_nonzero(x, axis=axes_of(x, axis), keepdims=keepdims)


def _count_plan(x: Any, /, *, axis: Any = None, **_: Any) -> Plan:
    outputs, length = lanes(x, axis)
    charges = (*_truths(x), Charge("add", _INDEX.name, outputs * max(length - 1, 0)))
    return Plan(charges, x.size + outputs * _INDEX.itemsize)


def _rule(name: str, run: Any, plan: Any, price: str, **more: Any) -> Rule:
    return Rule(name, run, plan, price, f"xp.{name}(x, axis=-1)", **more)


def _best(name: str, run: Any) -> Rule:
    return _rule(name, run, functools.partial(_best_plan, name), "k terms: k - 1 comparisons")


def _sum(name: str, function: Callable[..., Any], words: str) -> Rule:
    price = f"k terms: k - 1 {words}"
    plan = functools.partial(_adding_plan, name)
    return _rule(name, _adding(function), plan, price, source=_COMPLEX)


_COMPLEX = f"{DEFINITION}; complex: {COUNTED}"
_TRUTH = "k terms: k - 1 logical operations; numbers also k comparisons with 0"

RULES: tuple[Rule, ...] = (
    _sum("sum", np.sum, "additions, of complex numbers 2 each"),
    _sum("prod", np.prod, "multiplications, of complex numbers 4 and 2 additions each"),
    _rule(
        "mean",
        _folding(_mean),
        _mean_plan,
        "k terms: k - 1 additions and 1 division, of complex numbers 2 each",
        source=_COMPLEX,
    ),
    _best("max", _folding(np.max)),
    _best("min", _folding(np.min)),
    _best("argmax", _choosing(np.argmax)),
    _best("argmin", _choosing(np.argmin)),
    _rule("any", _folding(np.any), _truth_plan, _TRUTH),
    _rule("all", _folding(np.all), _truth_plan, _TRUTH),
    _rule(
        "count_nonzero",
        _count,
        _count_plan,
        "k terms: k - 1 additions; numbers also k comparisons with 0",
        source=COUNTED,
    ),
)
"""The rules that reduce axes."""
