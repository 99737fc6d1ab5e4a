"""Products of matrices and vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule, common_dtype
from sparsebench.ops.charges import inner_product

__all__ = ["RULES", "TILE"]

TILE = 64
"""Rows that a matrix product takes at once.

BLAS chooses its kernels by the size of a product, and kernels round differently in the last digit. Blocks of
one fixed height give every row the same kernel, so that a row's digits do not depend on which rows stand
beside it: scores must not depend on the secret order in which inputs are presented.
"""


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
    dtype = common_dtype(a, b)
    outputs = math.prod(shape)
    return Plan(inner_product(outputs, length, dtype), outputs * dtype.itemsize)


def _matmul(a: Any, b: Any, /) -> Any:
    if a.ndim == 1 or b.ndim > 2:  # noqa: PLR2004 - a stack on the right is a product per item already
        return np.matmul(a, b)
    shape, length = _matmul_shape(a, b)
    dtype = common_dtype(a, b)
    rows = a.reshape(-1, length)
    kernel = b.astype(dtype, copy=False)
    out = np.empty((rows.shape[0], *b.shape[1:]), dtype=dtype)
    for start in range(0, rows.shape[0], TILE):
        tile = rows[start : start + TILE]
        out[start : start + TILE] = (
            _full_tile(tile, dtype) @ kernel if len(tile) == TILE else _padded(tile, kernel)
        )
    return out.reshape(shape)


def _full_tile(tile: Any, dtype: np.dtype[Any]) -> Any:
    return np.ascontiguousarray(tile, dtype=dtype)


def _padded(tile: Any, kernel: Any) -> Any:
    full = np.zeros((TILE, tile.shape[1]), dtype=kernel.dtype)
    full[: len(tile)] = tile
    return (full @ kernel)[: len(tile)]


def _vecdot(a: Any, b: Any, /, *, axis: int = -1) -> Any:
    return np.sum(a * b, axis=axis)


def _vecdot_plan(a: Any, b: Any, /, *, axis: int = -1) -> Plan:
    if axis >= 0 or a.shape[axis] != b.shape[axis]:
        raise ValueError(
            f"vecdot: axis must be negative and as long in both, got {axis}, {a.shape}, {b.shape}"
        )
    shape = np.broadcast_shapes(a.shape, b.shape)
    elements = math.prod(shape)
    length = shape[axis]
    dtype = common_dtype(a, b)
    charges = inner_product(elements // length, length, dtype) if length else FREE
    return Plan(charges, elements * dtype.itemsize)


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
