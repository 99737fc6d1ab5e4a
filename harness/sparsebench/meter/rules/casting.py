"""Casts: free if they make no decision about a number."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule, refuse_rounding
from sparsebench.meter.rules.complexes import charged
from sparsebench.meter.rules.kinds import Array, DType, FlagOrNone
from sparsebench.ops.charges import Charge

__all__ = ["RULES", "cast_charges", "dtype_of_sums", "prepared"]


def cast_charges(name: str, source: np.dtype[Any], target: np.dtype[Any], amount: int) -> tuple[Charge, ...]:
    """Return the charges of casting ``amount`` numbers.

    Raises
    ------
    TypeError
        If complex numbers would lose their imaginary part.
    UncountedOperationError
        If a real number would become an integer.
    """
    if source == target:
        return FREE
    if target == np.bool_:
        return charged("not_equal", source, amount)
    if source.kind == "c" and target.kind != "c":
        raise TypeError(f"{name}: from {source} to {target} the imaginary part would go; use xp.real(x)")
    refuse_rounding(name, source, target)
    if target.kind in "iu" and not np.can_cast(source, target):
        return (Charge("logic", source.name, amount),)  # it keeps the low bits, like x & mask
    return FREE


def dtype_of_sums(name: str, source: np.dtype[Any], dtype: Any) -> np.dtype[Any]:
    """Return the dtype of sums and products of ``source``: small integers are summed in 64 bits.

    Raises
    ------
    TypeError
        If the requested dtype is not one of numbers, or would lose imaginary parts.
    UncountedOperationError
        If real numbers would be summed as integers.
    """
    if dtype is None:
        wide = {"b": "int64", "i": "int64", "u": "uint64"}
        return np.dtype(wide.get(source.kind, source))
    target: np.dtype[Any] = np.dtype(dtype)
    refuse_rounding(f"{name}(dtype=...)", source, target)
    if target.kind not in "iufc" or (source.kind == "c" and target.kind != "c"):
        raise TypeError(f"{name}: expected a dtype of numbers that {source} can be cast to, got {target}")
    return target


def prepared(name: str, x: Any, dtype: Any) -> tuple[np.dtype[Any], tuple[Charge, ...], int]:
    """Return what precedes a summation: the dtype, the charges of the cast, and its bytes."""
    target = dtype_of_sums(name, x.dtype, dtype)
    charges = cast_charges(name, x.dtype, target, x.size)
    return target, charges, 0 if dtype is None or target == x.dtype else x.size * target.itemsize


def _astype(x: Array, dtype: DType, /, *, copy: FlagOrNone = True) -> Any:
    return x.astype(dtype, copy=copy)


def _astype_plan(x: Any, dtype: Any, /, *, copy: bool = True) -> Plan:
    target = np.dtype(dtype)
    charges = cast_charges("astype", x.dtype, target, x.size)
    return Plan(charges, x.size * target.itemsize if copy or target != x.dtype else 0)


RULES: tuple[Rule, ...] = (
    Rule(
        "astype",
        _astype,
        _astype_plan,
        "0 between real widths, from integer to real, from real to complex, to wider integers and from "
        "boolean; per element 1 comparison to boolean (of complex numbers 2, and 1 logical operation), 1 "
        "logical operation to narrower integers; from real to integer and from complex to real refused",
        "xp.astype(x, xp.float64)",
        wiring=True,
    ),
)
"""The rules of casts."""
