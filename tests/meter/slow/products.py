"""Slow products of matrices, vectors and tensors, and norms."""

from __future__ import annotations

import math
import operator

import numpy as np

from meter.scalars import common, fold, inner, maximum, minimum, number, square_root, total
from meter.slow.arrays import Slow, cast, elementwise, filled, lanewise, reduced


def matmul(a, b):
    """Row times column, for every pair of matrices of the stacks."""
    dtype = common(a, b)
    left = a.cells[None, :] if a.ndim == 1 else a.cells
    right = b.cells[:, None] if b.ndim == 1 else b.cells
    stack = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left = np.broadcast_to(left, (*stack, *left.shape[-2:]))
    right = np.broadcast_to(right, (*stack, *right.shape[-2:]))
    shape = (*stack, left.shape[-2], right.shape[-1])
    numbers = [
        inner(left[(*place, row)].tolist(), right[(*place, slice(None), column)].tolist(), dtype)
        for *place, row, column in np.ndindex(shape)
    ]
    rows = shape[-2:-1] if a.ndim > 1 else ()
    columns = shape[-1:] if b.ndim > 1 else ()
    return filled(numbers, (*stack, *rows, *columns), dtype)


def vecdot(a, b, *, axis=-1):
    dtype = common(a, b)
    left, right = np.broadcast_arrays(np.moveaxis(a.cells, axis, -1), np.moveaxis(b.cells, axis, -1))
    outer = left.shape[:-1]
    numbers = [inner(left[place].tolist(), right[place].tolist(), dtype) for place in np.ndindex(outer)]
    return filled(numbers, outer, dtype)


def tensordot(a, b, *, axes=2):
    dtype = common(a, b)
    if isinstance(axes, int):
        axes = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    left = [place % a.ndim for place in axes[0]]
    right = [place % b.ndim for place in axes[1]]
    rows = [place for place in range(a.ndim) if place not in left]
    columns = [place for place in range(b.ndim) if place not in right]
    turned_a, turned_b = a.cells.transpose((*rows, *left)), b.cells.transpose((*columns, *right))
    outer = turned_a.shape[: len(rows)], turned_b.shape[: len(columns)]
    numbers = [
        inner(
            turned_a[(*row, ...)].reshape(-1).tolist(), turned_b[(*column, ...)].reshape(-1).tolist(), dtype
        )
        for row in np.ndindex(outer[0])
        for column in np.ndindex(outer[1])
    ]
    return filled(numbers, outer[0] + outer[1], dtype)


# Linear algebra ---------------------------------------------------------------------------------------


def cross(a, b, *, axis=-1):
    dtype = common(a, b)
    left, right = np.broadcast_arrays(cast(a, dtype).cells, cast(b, dtype).cells)
    pairs = np.concatenate([np.moveaxis(left, axis, -1), np.moveaxis(right, axis, -1)], axis=-1)

    def turned(six):
        u, v = six[:3], six[3:]
        return [u[i] * v[j] - u[j] * v[i] for i, j in ((1, 2), (2, 0), (0, 1))]

    outer = pairs.shape[:-1]
    numbers = [one for place in np.ndindex(outer) for one in turned(pairs[place].tolist())]
    return Slow(np.moveaxis(filled(numbers, (*outer, 3), dtype).cells, -1, axis), dtype)


def outer(a, b):
    return elementwise(operator.mul)(Slow(a.cells[:, None], a.dtype), Slow(b.cells[None, :], b.dtype))


def diagonal(x, *, offset=0):
    return Slow(np.diagonal(x.cells, offset, -2, -1), x.dtype)


def trace(x, *, offset=0, dtype=None):
    wide = {"i": "int64", "u": "uint64"}.get(x.dtype.kind, x.dtype)
    along = cast(diagonal(x, offset=offset), wide if dtype is None else dtype)
    return reduced(lambda lane: total(lane, along.dtype), along, -1)


def matrix_power(x, n):
    """Binary powering, for powers that are not negative."""
    if not n:
        return Slow(np.broadcast_to(Slow.of(np.eye(x.shape[-1], dtype=x.dtype)).cells, x.shape), x.dtype)
    made = None
    for digit in bin(n)[:1:-1]:  # the low ones first
        if digit == "1":
            made = x if made is None else matmul(made, x)
        n //= 2
        if n:
            x = matmul(x, x)
    return made


def _reciprocals(numbers):
    return [1.0 / one for one in numbers]


def _norm(lane, order, dtype):
    if order in (math.inf, -math.inf):
        return fold(maximum if order > 0 else minimum, [abs(one) for one in lane], number(0, dtype))
    if order == 0:
        return total([(one != 0).cast(dtype) for one in lane], dtype)
    if abs(order) == 1:
        terms = [abs(one) for one in lane]
    elif abs(order) == 2:
        terms = [one * one for one in lane]
    else:
        return total([abs(one) ** float(order) for one in lane], dtype) ** (1 / order)
    found = total(terms if order > 0 else _reciprocals(terms), dtype)
    found = square_root(found) if abs(order) == 2 else found
    return found if order > 0 else 1.0 / found


def vector_norm(x, *, axis=None, keepdims=False, ord=2):  # noqa: A002 - the standard's name
    return reduced(lambda lane: _norm(lane, ord, x.dtype), x, axis, keepdims=keepdims)


def matrix_norm(x, *, keepdims=False, ord="fro"):  # noqa: A002 - the standard's name
    if ord in (None, "fro"):
        return reduced(lambda lane: _norm(lane, 2, x.dtype), x, (-2, -1), keepdims=keepdims)
    along = -2 if abs(ord) == 1 else -1
    sums = lanewise(lambda lane: [_norm(lane, 1, x.dtype)], x, along)
    best = maximum if ord > 0 else minimum
    return reduced(lambda lane: fold(best, lane, number(0, x.dtype)), sums, (-2, -1), keepdims=keepdims)


TABLE = {
    "linalg.cross": cross,
    "linalg.diagonal": diagonal,
    "linalg.matrix_norm": matrix_norm,
    "linalg.matrix_power": matrix_power,
    "linalg.outer": outer,
    "linalg.trace": trace,
    "linalg.vector_norm": vector_norm,
    "matmul": matmul,
    "tensordot": tensordot,
    "vecdot": vecdot,
}
