"""Reductions, scans and orderings along axes."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.base import (
    WIDEST,
    Plan,
    Rule,
    axes_of,
    copy_bytes,
    lanes,
    refuse_rounding,
    shape_of,
)
from sparsebench.ops import steady
from sparsebench.ops.charges import Charge, bits_to_choose

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES"]

_COMPARES = ("any", "all")  # of numbers these compare each with 0


def _folding(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, /, *, axis: Any = None, keepdims: bool = False) -> Any:
        return steady.fold(function, x, axes_of(x, axis), keepdims=keepdims)

    return run


def _adding(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        wide = x if dtype is None else x.astype(dtype, copy=False)
        return steady.fold(
            functools.partial(function, dtype=dtype), wide, axes_of(x, axis), keepdims=keepdims
        )

    return run


def _choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x: Any, /, *, axis: int | None = None, keepdims: bool = False) -> Any:
        return steady.fold(function, x, axes_of(x, axis), keepdims=keepdims)

    return run


def _mean(lane: Any, *, axis: int) -> Any:
    """Divide a sum: ``numpy.mean`` warns where it is empty."""
    return np.divide(np.sum(lane, axis=axis), lane.shape[axis])


def _fold_plan(name: str, kind: str, x: Any, /, *, axis: Any = None, **_: Any) -> Plan:
    """Charge k - 1 operations per lane.

    A sum of booleans is a sum of integers, and a condition on numbers is a comparison of each with 0.
    """
    outputs, length = lanes(x, axis)
    counts = x.dtype == np.bool_ and kind in {"add", "mul"}
    dtype = "int64" if counts else x.dtype.name
    charges = [Charge(kind, dtype, outputs * max(length - 1, 0))]
    if name == "mean":
        charges.append(Charge("div", "float64" if x.dtype.kind != "f" else dtype, outputs))
    if name in _COMPARES and x.dtype != np.bool_:
        charges = [Charge("cmp", dtype, x.size), Charge(kind, "bool", outputs * max(length - 1, 0))]
    if name in {"max", "min", "argmax", "argmin"} and not length:
        raise ValueError(f"{name}: expected at least one element to choose from, got shape {x.shape}")
    last = axes_of(x, axis) == tuple(range(x.ndim))[-len(axes_of(x, axis)) :]
    return Plan(tuple(charges), outputs * WIDEST + (copy_bytes(x) if last else x.nbytes))


def _adding_plan(name: str, kind: str, x: Any, /, *, dtype: Any = None, **kwargs: Any) -> Plan:
    if dtype is not None:
        refuse_rounding(f"{name}(dtype=...)", x.dtype, np.dtype(dtype))
        if np.dtype(dtype).kind not in "iuf" or not np.can_cast(x.dtype, dtype, "same_kind"):
            raise TypeError(f"{name}: expected a dtype wider than {x.dtype}, got {np.dtype(dtype)}")
    return _fold_plan(name, kind, x, **kwargs)


def _fold(name: str, function: Callable[..., Any], kind: str, price: str, make: Any = _folding) -> Rule:
    return Rule(
        name,
        run=make(function),
        plan=functools.partial(_adding_plan if make is _adding else _fold_plan, name, kind),
        price=price,
        example=f"xp.{name}(x, axis=-1)",
    )


def _cumulative_sum(x: Any, /, *, axis: int = -1) -> Any:
    return np.cumsum(x, axis=axis)


def _cumulative_plan(x: Any, /, *, axis: int = -1) -> Plan:
    outputs, length = lanes(x, axis)
    dtype = "int64" if x.dtype == np.bool_ else x.dtype.name
    return Plan((Charge("add", dtype, outputs * max(length - 1, 0)),), x.size * WIDEST)


def _sort_plan(x: Any, /, *, axis: int = -1, **_: Any) -> Plan:
    outputs, length = lanes(x, axis)
    amount = outputs * length * bits_to_choose(length)
    return Plan((Charge("cmp", x.dtype.name, amount),), 2 * x.size * WIDEST)


def _sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:  # noqa: ARG001
    ordered = np.sort(x, axis=axis, kind="stable")
    return np.flip(ordered, axis) if descending else ordered


def _argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:  # noqa: ARG001
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - backwards


def _searchsorted(edges: Any, values: Any, /, *, side: Any = "left") -> Any:
    return np.searchsorted(edges, values, side=side)


def _searchsorted_plan(edges: Any, values: Any, /, *, side: str = "left") -> Plan:  # noqa: ARG001
    if edges.ndim != 1:
        raise ValueError(f"searchsorted: expected edges of shape (m,), got {edges.shape}")
    elements = math.prod(shape_of(values))
    common = np.result_type(edges.dtype, values.dtype).name
    return Plan((Charge("cmp", common, elements * bits_to_choose(edges.size + 1)),), elements * WIDEST)


RULES: tuple[Rule, ...] = (
    _fold("sum", np.sum, "add", "k terms: k - 1 additions", _adding),
    _fold("prod", np.prod, "mul", "k terms: k - 1 multiplications", _adding),
    _fold("mean", _mean, "add", "k terms: k - 1 additions and 1 division"),
    _fold("max", np.max, "cmp", "k terms: k - 1 comparisons"),
    _fold("min", np.min, "cmp", "k terms: k - 1 comparisons"),
    _fold("argmax", np.argmax, "cmp", "k terms: k - 1 comparisons", _choosing),
    _fold("argmin", np.argmin, "cmp", "k terms: k - 1 comparisons", _choosing),
    _fold("any", np.any, "logic", "k terms: k - 1 logical operations; numbers also k comparisons with 0"),
    _fold("all", np.all, "logic", "k terms: k - 1 logical operations; numbers also k comparisons with 0"),
    Rule(
        "cumulative_sum",
        _cumulative_sum,
        _cumulative_plan,
        "k terms: k - 1 additions",
        "xp.cumulative_sum(x, axis=-1)",
    ),
    Rule("sort", _sort, _sort_plan, "m terms: m⌈log2 m⌉ comparisons", "xp.sort(x)"),
    Rule("argsort", _argsort, _sort_plan, "m terms: m⌈log2 m⌉ comparisons", "xp.argsort(x)"),
    Rule(
        "searchsorted",
        _searchsorted,
        _searchsorted_plan,
        "m edges: ⌈log2(m + 1)⌉ comparisons per value",
        "xp.searchsorted(edges, x)",
    ),
)
"""The rules that go along axes."""
