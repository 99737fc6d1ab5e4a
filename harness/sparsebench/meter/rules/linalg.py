"""Linear algebra: the extension ``linalg`` of the array API standard.

``matmul``, ``matrix_transpose``, ``tensordot`` and ``vecdot`` are those of the main namespace.
"""

from __future__ import annotations

import functools
import math
from typing import Annotated, Any

import numpy as np

from sparsebench.meter.rules import factorization_counts as counts
from sparsebench.meter.rules import factorizations, norms, vectors
from sparsebench.meter.rules.arithmetic import floating, inner_products, product, tally
from sparsebench.meter.rules.base import FREE, WIDEST, Plan, Rule, common_dtype
from sparsebench.meter.rules.kinds import Array, Flag, Integer
from sparsebench.meter.rules.vectors import stack_of
from sparsebench.ops.core.kinds import one_of

__all__ = ["REFUSED", "RULES"]

_Mode = Annotated[str, one_of("reduced", "complete")]

_COPIES = 6
"""Arrays as large as its operands that an elimination by parts holds at once."""


def _square(name: str, x: Any) -> tuple[int, int]:
    """Return the number of a stack's square matrices and their length; refuse other shapes and dtypes."""
    floating(f"linalg.{name}", x)
    stack, m, n = stack_of(name, x)
    if m != n:
        raise ValueError(f"linalg.{name}: expected square matrices (..., n, n), got shape {x.shape}")
    return stack, n


# Factorizations ---------------------------------------------------------------------------------------


def _cholesky(x: Array, /, *, upper: Flag = False) -> Any:
    return _adjoint(factorizations.cholesky(_adjoint(x))) if upper else factorizations.cholesky(x)


def _adjoint(x: Any) -> Any:
    return np.conj(x.mT) if x.dtype.kind == "c" else x.mT


def _cholesky_plan(x: Any, /, *, upper: bool = False) -> Plan:  # noqa: ARG001
    stack, n = _square("cholesky", x)
    return Plan(tally(x.dtype, stack, **counts.cholesky(n)), _COPIES * x.size * WIDEST)


def _det(x: Array, /) -> Any:
    return factorizations.determinant(x)


def _det_plan(x: Any, /) -> Plan:
    stack, n = _square("det", x)
    return Plan(tally(x.dtype, stack, **counts.determinant(n)), (_COPIES * x.size + stack) * WIDEST)


def _slogdet(x: Array, /) -> Any:
    return factorizations.log_determinant(x)


def _slogdet_plan(x: Any, /) -> Plan:
    stack, n = _square("slogdet", x)
    return Plan(tally(x.dtype, stack, **counts.log_determinant(n)), (_COPIES * x.size + 4 * stack) * WIDEST)


def _qr(x: Array, /, *, mode: _Mode = "reduced") -> Any:
    return factorizations.householder(x, _qr_columns(x, mode))


def _qr_columns(x: Any, mode: str) -> int:
    return int(x.shape[-2] if mode == "complete" else min(x.shape[-2:]))


def _qr_plan(x: Any, /, *, mode: str = "reduced") -> Plan:
    floating("linalg.qr", x)
    stack, m, n = stack_of("qr", x)
    columns = _qr_columns(x, mode)
    steps = factorizations.reflections(m, n, x.dtype)
    taken = counts.householder(m, n, columns, steps)
    return Plan(tally(x.dtype, stack, **taken), _COPIES * stack * m * (n + columns) * WIDEST)


# Equations --------------------------------------------------------------------------------------------


def _inv(x: Array, /) -> Any:
    return factorizations.solve(x, np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape))


def _inv_plan(x: Any, /) -> Plan:
    stack, n = _square("inv", x)
    return Plan(tally(x.dtype, stack, **counts.solve(n, n)), _inverse_bytes(x, stack, n))


def _inverse_bytes(x: Any, stack: int, n: int) -> int:
    """Bound the memory of an inversion. Identity and list of matrices are made even if ``x`` is empty."""
    return (2 * _COPIES * int(x.size) + n * n + stack) * WIDEST


def _solve_shape(a: Any, b: Any) -> tuple[tuple[int, ...], int, int]:
    """Return the stack, the number of equations and of right-hand sides; refuse other shapes."""
    floating("linalg.solve", b)
    _, n = _square("solve", a)
    if not b.ndim or b.shape[-2:][0] != n:
        raise ValueError(
            f"linalg.solve: expected a right-hand side ({n},) or (..., {n}, k) to matrices {a.shape}, "
            f"got shape {b.shape}"
        )
    columns = 1 if b.ndim == 1 else b.shape[-1]
    return np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), n, columns


def _solve(a: Array, b: Array, /) -> Any:
    stack, n, columns = _solve_shape(a, b)
    dtype = common_dtype(a, b)
    matrices = np.broadcast_to(a.astype(dtype, copy=False), (*stack, n, n))
    sides = b[:, None] if b.ndim == 1 else b
    found = factorizations.solve(
        matrices, np.broadcast_to(sides.astype(dtype, copy=False), (*stack, n, columns))
    )
    return found[..., 0] if b.ndim == 1 else found


def _solve_plan(a: Any, b: Any, /) -> Plan:
    stack, n, columns = _solve_shape(a, b)
    many = math.prod(stack)
    nbytes = (_COPIES * many * n * (n + columns) + many + a.size + b.size) * WIDEST
    return Plan(tally(common_dtype(a, b), many, **counts.solve(n, columns)), nbytes)


def _matrix_power(x: Array, n: Integer, /) -> Any:
    if n == 0:
        return np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape).copy()
    if n == 1:
        return x.copy()
    power, left, result = (x if n > 0 else _inv(x)), abs(n), None
    while True:
        if left & 1:
            result = power if result is None else product(result, power)
        left >>= 1
        if not left:
            return result
        power = product(power, power)


def _power_plan(x: Any, n: int, /) -> Plan:
    stack, length = _square("matrix_power", x)
    products = max(abs(n).bit_length() + abs(n).bit_count() - 2, 0)
    charges = inner_products(stack * products * length * length, length, x.dtype) if products else FREE
    if n < 0:
        charges += tally(x.dtype, stack, **counts.solve(length, length))
    return Plan(charges, _inverse_bytes(x, stack, length))


def _rule(name: str, run: Any, plan: Any, price: str, call: str = "x", **more: Any) -> Rule:
    return Rule(f"linalg.{name}", run, plan, price, f"xp.linalg.{name}({call})", **more)


_AS_COUNTED = ", as a textbook has it and as it is executed; counted step by step"
_GAUSS = f"Gaussian elimination with partial pivoting{_AS_COUNTED}"
_PIVOTS = (
    "n(n - 1)/2 divisions, n(n - 1)(2n - 1)/6 multiplications and additions each, to choose pivots "
    "(n - 1)(n + 2)/2 absolute values and n(n - 1)/2 comparisons, and n - 1 look-ups to exchange rows"
)
_COMPLEX = "; complex operations as the real ones that they consist of"
_elimination = functools.partial(_rule, source=_GAUSS)

RULES: tuple[Rule, ...] = (
    _rule(
        "cholesky",
        _cholesky,
        _cholesky_plan,
        "n rows: n square roots, n(n - 1)/2 divisions, n(n - 1)(n + 1)/6 multiplications and additions each"
        f"{_COMPLEX}",
        source=f"Cholesky decomposition column by column{_AS_COUNTED}",
    ),
    _elimination(
        "det",
        _det,
        _det_plan,
        f"n rows: elimination ({_PIVOTS}), then n - 1 multiplications, negations and comparisons each"
        f"{_COMPLEX}",
    ),
    _elimination(
        "inv",
        _inv,
        _inv_plan,
        "n rows: as `solve` with the n columns of the identity",
    ),
    _elimination(
        "matrix_power",
        _matrix_power,
        _power_plan,
        "to the power of a number with d binary digits, e of them ones: d + e - 2 matrix products; for a "
        "negative power `inv` as well",
        "x, 3",
        source=f"binary powering; for negative powers {_GAUSS}",
    ),
    _rule(
        "qr",
        _qr,
        _qr_plan,
        "m rows, n columns, c columns of Q, reflections k = 0 … min(m - 1, n) - 1, p = m - k: "
        "3p - 2 + (2p - 1)(n + c - 2k - 2) multiplications, p + 4 + (2p - 1)(n + c - 2k - 2) additions, "
        f"2 divisions, 1 square root, 1 comparison each{_COMPLEX}, with min(m, n) reflections",
        fields=("Q", "R"),
        source=f"Householder reflections, Q formed backwards{_AS_COUNTED}",
    ),
    _elimination(
        "slogdet",
        _slogdet,
        _slogdet_plan,
        "n rows: as `det`, and n absolute values, n signs (2 comparisons each), n logarithms, n - 1 "
        "additions",
        fields=("sign", "logabsdet"),
    ),
    _elimination(
        "solve",
        _solve,
        _solve_plan,
        f"n equations, k right-hand sides: elimination ({_PIVOTS}), then kn(n - 1) multiplications and "
        f"additions each and kn divisions{_COMPLEX}",
        "a, b",
    ),
    *norms.RULES,
    *vectors.RULES,
)
"""The rules of linear algebra."""

REFUSED: dict[str, tuple[str, str]] = {
    f"linalg.{name}": norms.ITERATIVE
    for name in ("eigh", "eigvalsh", "matrix_rank", "pinv", "svd", "svdvals")
}
"""The functions that need eigenvalues or singular values."""
