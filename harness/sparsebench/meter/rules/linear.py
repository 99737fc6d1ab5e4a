"""Products of matrices, vectors and tensors."""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from sparsebench.meter.rules.arithmetic import inner_products, product, tally, times, total
from sparsebench.meter.rules.base import COUNTED, FREE, WIDEST, Plan, Rule, common_dtype, copy_bytes
from sparsebench.meter.rules.kinds import Array, Integer
from sparsebench.ops.core.kinds import INTEGER, either, tuple_of

__all__ = ["RULES"]

_Contracted = Annotated[Any, either(INTEGER, tuple_of(tuple_of(INTEGER, ""), "two tuples of them", 2))]

_PARTS = 4
"""Arrays as large as the result that a complex product by parts holds at once."""


def _matmul_shape(a: Any, b: Any) -> tuple[tuple[int, ...], int]:
    """Return the shape of the product and its inner length, or raise ValueError."""
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
    if dtype.kind == "c":
        return Plan(
            inner_products(outputs, length, dtype), (_PARTS * outputs + 2 * (a.size + b.size)) * WIDEST
        )
    nbytes = outputs * WIDEST + copy_bytes(a, dtype) + copy_bytes(b, dtype)
    return Plan(inner_products(outputs, length, dtype), nbytes)


def _matmul(a: Array, b: Array, /) -> Any:
    return product(a, b)


def _vecdot(a: Array, b: Array, /, *, axis: Integer = -1) -> Any:
    terms = times(np.conj(a) if a.dtype.kind == "c" else a, b)
    return total(terms, (terms.ndim + axis,))


def _vecdot_plan(a: Any, b: Any, /, *, axis: int = -1) -> Plan:
    if not -min(a.ndim, b.ndim) <= axis < 0 or a.shape[axis] != b.shape[axis]:
        raise ValueError(
            f"vecdot: axis must be negative and as long in both, got {axis}, {a.shape}, {b.shape}"
        )
    shape = np.broadcast_shapes(a.shape, b.shape)
    elements = math.prod(shape)
    length = shape[axis]
    outputs = math.prod((*shape[:axis], *shape[len(shape) + axis + 1 :]))
    dtype = common_dtype(a, b)
    charges = inner_products(outputs, length, dtype) if length else FREE
    if dtype.kind == "c":
        charges += tally(dtype, elements, add_real=1)  # the conjugates
    return Plan(charges, (_PARTS if dtype.kind == "c" else 2) * max(elements, outputs) * WIDEST)


class _Contraction(NamedTuple):
    """The matrix product that a contraction of tensors is."""

    order: tuple[tuple[int, ...], tuple[int, ...]]
    """Axes of the one with the contracted ones last, and of the other with them first."""
    matrices: tuple[tuple[int, int], tuple[int, int]]
    """Shapes of the matrices."""
    shape: tuple[int, ...]
    """Shape of the result."""


def _contraction(a: Any, b: Any, axes: Any) -> _Contraction:
    """Return the layout of a contraction, or raise ValueError."""
    left, right = _contracted(a, b, axes)
    if [a.shape[axis] for axis in left] != [b.shape[axis] for axis in right]:
        raise ValueError(
            f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes {left} and {right}: "
            "contracted axes must be equally long"
        )
    rows = tuple(axis for axis in range(a.ndim) if axis not in left)
    columns = tuple(axis for axis in range(b.ndim) if axis not in right)
    shapes = tuple(a.shape[axis] for axis in rows), tuple(b.shape[axis] for axis in columns)
    length = math.prod(a.shape[axis] for axis in left)
    return _Contraction(
        ((*rows, *left), (*right, *columns)),
        ((math.prod(shapes[0]), length), (length, math.prod(shapes[1]))),
        shapes[0] + shapes[1],
    )


def _contracted(a: Any, b: Any, axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the contracted axes of both, or raise ValueError."""
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ValueError(
                f"tensordot: expected 0 to {min(a.ndim, b.ndim)} axes to contract for shapes {a.shape} and "
                f"{b.shape}, got {axes}"
            )
        return tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    left, right = normalize_axis_tuple(axes[0], a.ndim), normalize_axis_tuple(axes[1], b.ndim)
    if len(left) != len(right):
        raise ValueError(f"tensordot: expected as many axes of one as of the other, got {axes}")
    return left, right


def _tensordot(a: Array, b: Array, /, *, axes: _Contracted = 2) -> Any:
    how = _contraction(a, b, axes)
    left, right = (
        np.transpose(x, order).reshape(shape)
        for x, order, shape in zip((a, b), how.order, how.matrices, strict=True)
    )
    return product(left, right).reshape(how.shape)


def _tensordot_plan(a: Any, b: Any, /, *, axes: Any = 2) -> Plan:
    how = _contraction(a, b, axes)
    outputs, length = math.prod(how.shape), how.matrices[0][1]
    nbytes = (_PARTS * outputs + 3 * (a.size + b.size)) * WIDEST
    return Plan(inner_products(outputs, length, common_dtype(a, b)), nbytes)


_INNER = "k multiplications and k - 1 additions per element of the result"
_OF_COMPLEX = "of complex numbers 4k and 4k - 2"

RULES: tuple[Rule, ...] = (
    Rule(
        "matmul", _matmul, _matmul_plan, f"inner length k: {_INNER}; {_OF_COMPLEX}", "x @ w", source=COUNTED
    ),
    Rule(
        "tensordot",
        _tensordot,
        _tensordot_plan,
        f"k terms contracted: {_INNER}, as the matrix product that it is; {_OF_COMPLEX}",
        "xp.tensordot(x, w, axes=1)",
        source=COUNTED,
    ),
    Rule(
        "vecdot",
        _vecdot,
        _vecdot_plan,
        f"length k: {_INNER}; {_OF_COMPLEX}, and k to conjugate",
        "xp.vecdot(x, y)",
        source=COUNTED,
    ),
)
"""The rules of products."""
