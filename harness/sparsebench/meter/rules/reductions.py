"""Reductions, scans and orderings along axes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.base import Plan, Rule, lanes
from sparsebench.ops.charges import Charge, bits_to_choose

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES"]

_WIDEST = 8  # bytes of the widest result


def _fold_plan(kind: str, division: bool, x: Any, /, *, axis: Any = None, **_: Any) -> Plan:  # noqa: FBT001
    outputs, length = lanes(x, axis)
    charges = [Charge(kind, x.dtype.name, outputs * max(length - 1, 0))]
    if division:
        charges.append(Charge("div", x.dtype.name, outputs))
    return Plan(tuple(charges), outputs * _WIDEST)


def _fold(name: str, function: Callable[..., Any], kind: str, price: str, *, division: bool = False) -> Rule:
    return Rule(
        name,
        run=function,
        plan=functools.partial(_fold_plan, kind, division),
        price=price,
        example=f"xp.{name}(x, axis=-1)",
    )


def _cumulative_sum(x: Any, /, *, axis: int = -1) -> Any:
    return np.cumsum(x, axis=axis)


def _cumulative_plan(x: Any, /, *, axis: int = -1) -> Plan:
    outputs, length = lanes(x, axis)
    return Plan((Charge("add", x.dtype.name, outputs * max(length - 1, 0)),), x.size * _WIDEST)


def _sort_plan(x: Any, /, *, axis: int = -1, **_: Any) -> Plan:
    outputs, length = lanes(x, axis)
    return Plan((Charge("cmp", x.dtype.name, outputs * length * bits_to_choose(length)),), x.size * _WIDEST)


def _sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:  # noqa: ARG001
    ordered = np.sort(x, axis=axis, kind="stable")
    return np.flip(ordered, axis) if descending else ordered


def _argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:  # noqa: ARG001
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - backwards


def _searchsorted(edges: Any, values: Any, /, *, side: str = "left") -> Any:
    return np.searchsorted(edges, values, side=side)  # type: ignore[call-overload]


def _searchsorted_plan(edges: Any, values: Any, /, *, side: str = "left") -> Plan:  # noqa: ARG001
    if edges.ndim != 1:
        raise ValueError(f"searchsorted: expected edges of shape (m,), got {edges.shape}")
    each = bits_to_choose(edges.size + 1)
    return Plan((Charge("cmp", values.dtype.name, values.size * each),), values.size * _WIDEST)


RULES: tuple[Rule, ...] = (
    _fold("sum", np.sum, "add", "k terms: k - 1 additions"),
    _fold("prod", np.prod, "mul", "k terms: k - 1 multiplications"),
    _fold("mean", np.mean, "add", "k terms: k - 1 additions and 1 division", division=True),
    _fold("max", np.max, "cmp", "k terms: k - 1 comparisons"),
    _fold("min", np.min, "cmp", "k terms: k - 1 comparisons"),
    _fold("argmax", np.argmax, "cmp", "k terms: k - 1 comparisons"),
    _fold("argmin", np.argmin, "cmp", "k terms: k - 1 comparisons"),
    _fold("any", np.any, "logic", "k terms: k - 1 logical operations"),
    _fold("all", np.all, "logic", "k terms: k - 1 logical operations"),
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
