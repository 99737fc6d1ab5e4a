"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.errors import UncountedOperationError
from sparsebench.meter.rules.arithmetic import floating, magnitude, squared, tally, total
from sparsebench.meter.rules.base import COUNTED, WIDEST, Plan, Rule, axes_of, lanes
from sparsebench.meter.rules.complexes import component
from sparsebench.meter.rules.kinds import Array, Axes, Flag, Real
from sparsebench.ops.core import steady
from sparsebench.ops.core.kinds import REAL, either, one_of, or_none

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ITERATIVE", "RULES"]

ITERATIVE = (
    "iterative: how many operations it takes depends on the values",
    "decompose in fit, or use xp.linalg.qr or xp.linalg.solve",
)
"""Why what needs eigenvalues or singular values is refused, and what to do instead."""

_Order = Annotated[Any, or_none(either(REAL, one_of("fro", "nuc")))]

_SINGULAR = (2, -2, "nuc")
_OF_COLUMNS = (1, -1)
_OF_ROWS = (math.inf, -math.inf)


def _vector_norm(x: Array, /, *, axis: Axes = None, keepdims: Flag = False, ord: Real = 2) -> Any:  # noqa: A002
    axes = axes_of(x, axis)
    if ord in _OF_ROWS:
        return _extreme(magnitude(x), axes, largest=ord > 0, keepdims=keepdims)
    if ord == 0:
        return total((x != 0).astype(component(x.dtype)), axes, keepdims=keepdims)
    terms, finish = _terms(x, ord)
    return finish(total(terms, axes, keepdims=keepdims))


def _terms(x: Any, order: float) -> tuple[Any, Callable[[Any], Any]]:
    """Return the terms of a norm's sum, and the function applied to the sum."""
    if order == 1:
        return magnitude(x), lambda found: found
    if order == -1:
        return 1 / magnitude(x), lambda found: 1 / found
    if order == 2:  # noqa: PLR2004 - the Euclidean norm
        return squared(x), np.sqrt
    if order == -2:  # noqa: PLR2004
        return 1 / squared(x), lambda found: 1 / np.sqrt(found)
    powers = steady.evaluate(np.power, magnitude(x), float(order))
    return powers, lambda found: steady.evaluate(np.power, found, 1 / float(order))


def _extreme(x: Any, axes: tuple[int, ...], *, largest: bool, keepdims: bool) -> Any:
    """Return the largest number, 0 if there is none, or the smallest."""
    return steady.fold(_largest if largest else np.min, x, axes, keepdims=keepdims)


def _largest(x: Any, *, axis: int) -> Any:
    return np.max(x, axis=axis, initial=0)


# The operations of a norm of k numbers in addition to k - 1 additions: per number, and per result.
_PER_TERM: dict[float, dict[str, int]] = {
    0: {"nonzero": 1},
    1: {"abs": 1},
    -1: {"abs": 1, "recip": 1},
    2: {"square": 1},
    -2: {"square": 1, "recip": 1},
}
_PER_RESULT: dict[float, dict[str, int]] = {
    0: {},
    1: {},
    -1: {"recip": 1},
    2: {"sqrt": 1},
    -2: {"sqrt": 1, "recip": 1},
}


def _vector_plan(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: float = 2) -> Plan:  # noqa: A002, ARG001
    floating("linalg.vector_norm", x)
    outputs, length = lanes(x, axis)
    if ord in _OF_ROWS:
        counts = {"abs": length, "cmp": max(length - 1, 0)}
        _something(x, ord, length)
    else:
        counts = {kind: each * length for kind, each in _PER_TERM.get(ord, {"abs": 1, "pow": 1}).items()}
        counts["add_real"] = max(length - 1, 0)
        for kind, each in _PER_RESULT.get(ord, {"pow": 1}).items():
            counts[kind] = counts.get(kind, 0) + each
    return Plan(tally(x.dtype, outputs, **counts), (3 * x.size + outputs) * WIDEST)


def _something(x: Any, order: float, length: int) -> None:
    """Refuse the smallest of no numbers."""
    if order < 0 and not length:
        raise ValueError(f"the smallest of no numbers is not defined: got shape {x.shape} and ord={order}")


def _matrix_norm(x: Array, /, *, keepdims: Flag = False, ord: _Order = "fro") -> Any:  # noqa: A002
    rows, columns = x.ndim - 2, x.ndim - 1
    if ord in (None, "fro"):
        return np.sqrt(total(squared(x), (rows, columns), keepdims=keepdims))
    sums = total(magnitude(x), (rows if ord in _OF_COLUMNS else columns,), keepdims=True)
    found = _extreme(sums, (rows, columns), largest=ord > 0, keepdims=True)
    return found if keepdims else found[..., 0, 0]


def _matrix_plan(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Plan:  # noqa: A002, ARG001
    floating("linalg.matrix_norm", x)
    if x.ndim < 2:  # noqa: PLR2004 - a stack of matrices
        raise ValueError(f"linalg.matrix_norm: expected at least 2 axes, got shape {x.shape}")
    if ord in _SINGULAR:
        reason, mend = ITERATIVE
        raise UncountedOperationError(
            f"linalg.matrix_norm with ord={ord!r} is refused: {reason}", help=f"{mend}; or ord='fro'"
        )
    *stack, m, n = x.shape
    if ord in (None, "fro"):
        counts = {"square": m * n, "add_real": max(m * n - 1, 0), "sqrt": 1}
    elif ord in _OF_COLUMNS or ord in _OF_ROWS:
        sums, terms = (n, m) if ord in _OF_COLUMNS else (m, n)
        _something(x, ord, sums)
        counts = {"abs": m * n, "add_real": sums * max(terms - 1, 0), "cmp": max(sums - 1, 0)}
    else:
        raise ValueError(f"linalg.matrix_norm: expected ord to be 'fro', 1, -1, inf or -inf, got {ord!r}")
    many = math.prod(stack)
    return Plan(tally(x.dtype, many, **counts), (3 * x.size + many * (m + n + 1)) * WIDEST)


RULES: tuple[Rule, ...] = (
    Rule(
        "linalg.matrix_norm",
        _matrix_norm,
        _matrix_plan,
        "m rows, n columns: 'fro': mn multiplications, mn - 1 additions, 1 square root; 1 and -1: mn "
        "absolute values, n(m - 1) additions, n - 1 comparisons; inf and -inf the same by rows; others are "
        "refused",
        "xp.linalg.matrix_norm(x)",
        source=COUNTED,
    ),
    Rule(
        "linalg.vector_norm",
        _vector_norm,
        _vector_plan,
        "k terms: k - 1 additions, and with ord 2: k multiplications, 1 square root; 1: k absolute values; "
        "0: k comparisons; -1: k absolute values, k + 1 divisions; -2: k multiplications, k + 1 divisions, "
        "1 square root; inf and -inf: k absolute values and k - 1 comparisons, no additions; others: "
        "k absolute values, k + 1 powers",
        "xp.linalg.vector_norm(x, axis=-1)",
        source=COUNTED,
    ),
)
"""The rules of norms."""
