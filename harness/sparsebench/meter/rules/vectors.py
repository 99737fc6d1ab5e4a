"""Products of vectors, and diagonals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.meter.rules.arithmetic import tally, times, total
from sparsebench.meter.rules.base import COUNTED, FREE, WIDEST, Plan, Rule, common_dtype, refuse_rounding
from sparsebench.meter.rules.casting import cast_charges
from sparsebench.meter.rules.kinds import Array, DTypeOrNone, Integer

__all__ = ["RULES", "stack_of"]

_COPIES = 6
"""Arrays as large as the result that products by parts hold at once."""
_VECTOR = 3
"""Length of vectors that have a cross product."""


def stack_of(name: str, x: Any) -> tuple[int, int, int]:
    """Return the number of matrices in a stack and their lengths.

    Raises
    ------
    ValueError
        If it is not a stack of matrices.
    """
    if x.ndim < 2:  # noqa: PLR2004 - a stack of matrices
        raise ValueError(f"linalg.{name}: expected matrices (..., m, n), got shape {x.shape}")
    return math.prod(x.shape[:-2]), x.shape[-2], x.shape[-1]


def _numeric(name: str, *arrays: Any) -> None:
    for x in arrays:
        if x.dtype == np.bool_:
            raise TypeError(f"linalg.{name}: expected numbers, got booleans; cast to an integer dtype first")


# Products ---------------------------------------------------------------------------------------------


def _cross(a: Array, b: Array, /, *, axis: Integer = -1) -> Any:
    left, right = (np.moveaxis(x, axis, 0) for x in np.broadcast_arrays(a, b))
    turned = (times(left[i], right[j]) - times(left[j], right[i]) for i, j in ((1, 2), (2, 0), (0, 1)))
    return np.stack(list(turned), axis=axis)


def _cross_plan(a: Any, b: Any, /, *, axis: int = -1) -> Plan:
    _numeric("cross", a, b)
    if not -min(a.ndim, b.ndim) <= axis < 0 or not a.shape[axis] == b.shape[axis] == _VECTOR:
        raise ValueError(
            f"linalg.cross: axis must be negative and of length 3 in both, got {axis}, {a.shape}, {b.shape}"
        )
    elements = math.prod(np.broadcast_shapes(a.shape, b.shape))
    return Plan(tally(common_dtype(a, b), elements // _VECTOR, mul=6, add=3), _COPIES * elements * WIDEST)


def _outer(a: Array, b: Array, /) -> Any:
    return times(a[:, None], b[None, :])


def _outer_plan(a: Any, b: Any, /) -> Plan:
    _numeric("outer", a, b)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"linalg.outer: expected two vectors, got shapes {a.shape} and {b.shape}")
    elements = a.size * b.size
    return Plan(tally(common_dtype(a, b), elements, mul=1), 4 * elements * WIDEST)


# Diagonals --------------------------------------------------------------------------------------------


def _diagonal(x: Array, /, *, offset: Integer = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


def _diagonal_plan(x: Any, /, *, offset: int = 0) -> Plan:
    stack_of("diagonal", x)
    _diagonal(x, offset=offset)  # an offset may be too large for arithmetic
    return Plan(FREE, 0)


def _sum_dtype(x: Any, dtype: Any) -> np.dtype[Any]:
    """Return the dtype in which a trace is computed: the standard widens small integers."""
    wide = {"i": "int64", "u": "uint64"}
    name: str = wide.get(x.dtype.kind, x.dtype.name) if dtype is None else dtype
    return np.dtype(name)


def _trace(x: Array, /, *, offset: Integer = 0, dtype: DTypeOrNone = None) -> Any:
    along = _diagonal(x, offset=offset).astype(_sum_dtype(x, dtype))
    return total(along, (along.ndim - 1,))


def _trace_plan(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Plan:
    _numeric("trace", x)
    stack, _, _ = stack_of("trace", x)
    target = _sum_dtype(x, dtype)
    refuse_rounding("linalg.trace(dtype=...)", x.dtype, target)
    if target == np.bool_ or not np.can_cast(x.dtype, target, "same_kind"):
        raise TypeError(f"linalg.trace: expected a dtype wider than {x.dtype}, got {target}")
    length = _diagonal(x, offset=offset).shape[-1]
    cast = cast_charges("linalg.trace", x.dtype, target, stack * length)
    return Plan(cast + tally(target, stack, add=max(length - 1, 0)), stack * (2 * length + 3) * WIDEST)


RULES: tuple[Rule, ...] = (
    Rule(
        "linalg.cross",
        _cross,
        _cross_plan,
        "6 multiplications and 3 additions per pair of vectors",
        "xp.linalg.cross(x, y)",
        source=COUNTED,
    ),
    Rule(
        "linalg.diagonal",
        _diagonal,
        _diagonal_plan,
        "0: a view",
        "xp.linalg.diagonal(x)",
        view=True,
        wiring=True,
        moves=True,
    ),
    Rule(
        "linalg.outer",
        _outer,
        _outer_plan,
        "1 multiplication per element of the result",
        "xp.linalg.outer(x, y)",
        source=COUNTED,
    ),
    Rule(
        "linalg.trace",
        _trace,
        _trace_plan,
        "n terms on the diagonal: n - 1 additions",
        "xp.linalg.trace(x)",
        source=COUNTED,
    ),
)
"""The rules of products of vectors, and of diagonals."""
