"""Products of matrices and vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.meter.rules.base import FREE, WIDEST, Plan, Rule, common_dtype, copy_bytes
from sparsebench.ops import steady
from sparsebench.ops.charges import inner_product

__all__ = ["RULES"]


def _matmul_shape(a: Any, b: Any) -> tuple[tuple[int, ...], int]:
    """Shape of the product and its inner length, or ValueError."""
    left = (1, *a.shape) if a.ndim == 1 else a.shape
    right = (*b.shape, 1) if b.ndim == 1 else b.shape
    if not a.ndim or not b.ndim or left[-1] != right[-2]:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not fit: inner lengths must be equal")
    stack = np.broadcast_shapes(left[:-2], right[:-2])
    rows = () if a.ndim == 1 else (left[-2],)
    columns = () if b.ndim == 1 else (right[-1],)
    return (*stack, *rows, *columns), left[-1]


def _matmul_plan(a: Any, b: Any, /) -> Plan:
    shape, length = _matmul_shape(a, b)
    outputs = math.prod(shape)
    dtype = common_dtype(a, b)
    nbytes = outputs * WIDEST + copy_bytes(a, dtype) + copy_bytes(b, dtype)
    return Plan(inner_product(outputs, length, dtype), nbytes)


def _matmul(a: Any, b: Any, /) -> Any:
    return steady.matmul(a, b)


def _vecdot(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    product = a * b
    return steady.fold(np.sum, product, (product.ndim + axis,))


def _vecdot_plan(a: Any, b: Any, /, *, axis: int = -1) -> Plan:
    if not -min(a.ndim, b.ndim) <= axis < 0 or a.shape[axis] != b.shape[axis]:
        raise ValueError(
            f"vecdot: axis must be negative and as long in both, got {axis}, {a.shape}, {b.shape}"
        )
    shape = np.broadcast_shapes(a.shape, b.shape)
    elements = math.prod(shape)
    length = shape[axis]
    charges = inner_product(elements // length, length, common_dtype(a, b)) if length else FREE
    return Plan(charges, 2 * elements * WIDEST)


RULES: tuple[Rule, ...] = (
    Rule(
        "matmul",
        _matmul,
        _matmul_plan,
        "inner length k: k multiplications and k - 1 additions per element of the result",
        "x @ w",
    ),
    Rule(
        "vecdot",
        _vecdot,
        _vecdot_plan,
        "length k: k multiplications and k - 1 additions per element of the result",
        "xp.vecdot(x, y)",
    ),
)
"""The rules of products."""
