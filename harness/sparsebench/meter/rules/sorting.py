"""Sorting and searching."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np

from sparsebench.meter.rules.base import COUNTED, DEFINITION, Plan, Rule, lanes, shape_of
from sparsebench.meter.rules.complexes import refuse_complex
from sparsebench.meter.rules.kinds import Array, ArrayOrNone, Flag, Integer
from sparsebench.ops.charges import Charge, bits_to_choose, descent, lookups
from sparsebench.ops.core.kinds import one_of

__all__ = ["RULES"]

_Side = Annotated[Any, one_of("left", "right")]

_INDEX_BYTES = 8


def _sort_charges(name: str, x: Any, axis: int) -> tuple[tuple[Charge, ...], int]:
    """Return the charges of m * ceil(log2 m) comparisons per lane, and the length of a lane."""
    refuse_complex(name, x.dtype)
    outputs, length = lanes(x, axis)
    return (Charge("cmp", x.dtype.name, outputs * length * bits_to_choose(length)),), length


def _sort(x: Array, /, *, axis: Integer = -1, descending: Flag = False, stable: Flag = True) -> Any:  # noqa: ARG001
    ordered = np.sort(x, axis=axis)  # equal numbers look alike: the fast sort gives what the stable one does
    return np.flip(ordered, axis) if descending else ordered


def _sort_plan(x: Any, /, *, axis: int = -1, **_: Any) -> Plan:
    charges, length = _sort_charges("sort", x, axis)
    return Plan(charges, x.nbytes + 2 * length * x.itemsize)  # a lane is copied if it is not contiguous


def _argsort(x: Array, /, *, axis: Integer = -1, descending: Flag = False, stable: Flag = True) -> Any:  # noqa: ARG001
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    backwards = np.flip(np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)
    return x.shape[axis] - 1 - backwards


def _argsort_plan(x: Any, /, *, axis: int = -1, descending: bool = False, **_: Any) -> Plan:
    charges, length = _sort_charges("argsort", x, axis)
    results = (2 if descending else 1) * x.size * _INDEX_BYTES
    return Plan(charges, results + 2 * length * (x.itemsize + _INDEX_BYTES))


def _searchsorted(x1: Array, x2: Array, /, *, side: _Side = "left", sorter: ArrayOrNone = None) -> Any:
    return np.searchsorted(x1, x2, side=side, sorter=sorter)


def _searchsorted_plan(x1: Any, x2: Any, /, *, side: str = "left", sorter: Any = None) -> Plan:  # noqa: ARG001
    refuse_complex("searchsorted", x1.dtype, x2.dtype)
    if x1.ndim != 1:
        raise ValueError(f"searchsorted: expected edges of shape (m,), got {x1.shape}")
    elements = math.prod(shape_of(x2))
    common = np.result_type(x1.dtype, x2.dtype)
    depth = bits_to_choose(x1.size + 1)
    address = "int64" if sorter is None else sorter.dtype.name
    charges = descent(elements, depth, [(x1, 1)], common, address)
    nbytes = elements * (_INDEX_BYTES + common.itemsize) + x1.size * common.itemsize  # both are cast
    if sorter is not None:
        charges += _through(sorter, x1, elements * depth)
        nbytes += x1.size * _INDEX_BYTES
    return Plan(charges, nbytes)


def _through(sorter: Any, x1: Any, steps: int) -> tuple[Charge, ...]:
    """Return the charge of a sorter: a look-up of an edge's place for every comparison."""
    if sorter.dtype.kind not in "iu":
        raise TypeError(f"searchsorted: expected a sorter of integers, got {sorter.dtype}; use xp.argsort")
    if sorter.shape != x1.shape:
        raise ValueError(f"searchsorted: expected a sorter of shape {x1.shape}, got {sorter.shape}")
    return lookups("int64", steps, [(sorter, 1)])


_SORT = "m terms: m⌈log2 m⌉ comparisons"

RULES: tuple[Rule, ...] = (
    Rule("sort", _sort, _sort_plan, _SORT, "xp.sort(x)"),
    Rule("argsort", _argsort, _argsort_plan, _SORT, "xp.argsort(x)"),
    Rule(
        "searchsorted",
        _searchsorted,
        _searchsorted_plan,
        "m edges, per level of ⌈log2(m + 1)⌉: 1 look-up (an edge), 1 comparison and, after the first, 1 "
        "address operation; with a sorter 1 look-up more",
        "xp.searchsorted(edges, x)",
        source=f"{DEFINITION}; the sorter: {COUNTED}",
    ),
)
"""The rules of orders."""
