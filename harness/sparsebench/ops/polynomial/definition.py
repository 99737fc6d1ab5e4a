"""Polynomials: every row goes through that of the bucket that it was routed to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core.checks import REAL, check_dtypes
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.grouped.layers import blocks
from sparsebench.ops.lookup.definition import check_index, gather, lookup_charges

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MOST_DEGREE", "check_polynomial", "grouped_polynomial"]

MOST_DEGREE = 32

_CHUNK = 1 << 21  # elements of monomials and gathered coefficients held at once by the steady face


def check_polynomial(x: Any, index: Any, coefficients: Any, degree: int) -> int:
    """Count the monomials, or say what does not fit."""
    if not 0 <= degree <= MOST_DEGREE:
        raise ValueError(f"grouped_polynomial: degree must be in [0, {MOST_DEGREE}], got {degree}")
    check_dtypes("grouped_polynomial", REAL, "real numbers", x, coefficients)
    fits = x.ndim == 2 and index.ndim in (1, 2) and coefficients.ndim in (2, 3)  # noqa: PLR2004 - as below
    monomials = math.comb(x.shape[1] + degree, degree) if fits else 0
    if not fits or x.shape[0] != index.shape[0] or coefficients.shape[-1] != monomials:
        got = ", ".join(str(tuple(part.shape)) for part in (x, index, coefficients))
        expected = (
            "x (n, d), index (n[, k]) and coefficients (E[, h], M) of M = C(d + degree, degree) monomials"
        )
        raise ValueError(f"grouped_polynomial: expected {expected}; got {got} and degree {degree}")
    return monomials


def _cost(x: Any, index: Any, coefficients: Any, *, degree: int) -> tuple[Charge, ...]:
    monomials = check_polynomial(x, index, coefficients, degree)
    common = np.result_type(x.dtype, coefficients.dtype)
    made = monomials - 1 - (x.shape[1] if degree else 0)
    charges = (
        *lookup_charges(index, coefficients),
        Charge("mul", x.dtype.name, int(x.shape[0]) * made),
    )
    if monomials > 1:
        values = int(index.size) * math.prod(coefficients.shape[1:-1])
        charges += (*inner_product(values, monomials - 1, common), Charge("add", common.name, values))
    return charges


def _elements(x: Any, index: Any, coefficients: Any, *, degree: int) -> int:
    monomials = check_polynomial(x, index, coefficients, degree)
    values = int(math.prod((*index.shape, *coefficients.shape[1:-1])))
    return values + _held(monomials, coefficients) if values else 0


def _held(monomials: int, coefficients: Any) -> int:
    """Count the elements that one address takes."""
    return 3 * monomials + int(math.prod(coefficients.shape[1:]))


def _touched(x: Any, index: Any, coefficients: Any, *, degree: int) -> list[tuple[Any, Any]]:  # noqa: ARG001
    return [(coefficients, index)]


def _steady(x: Any, index: Any, coefficients: Any, *, degree: int) -> Any:
    """Go through the reference in chunks. Each value is an inner product of its own."""
    monomials = check_polynomial(x, index, coefficients, degree)
    check_index("grouped_polynomial", index, coefficients.shape[0])
    shape = (*index.shape, *coefficients.shape[1:-1])
    out = np.empty(shape, dtype=np.result_type(x.dtype, coefficients.dtype))
    if not out.size:
        return out  # there may be more monomials than memory
    for part in blocks(index.shape, _held(monomials, coefficients), _CHUNK):
        out[part] = _evaluate(x[part[0]], index[part], coefficients, degree, np.ascontiguousarray)
    return out


@primitive(
    cost=_cost,
    elements=_elements,
    touched=_touched,
    steady=_steady,
    price="M monomials of d features: M - 1 - d multiplications per input; per address: 1 look-up, and "
    "2(M - 1) for every output",
    example="y = ops.grouped_polynomial(x, bucket, coefficients, degree=2)",
)
def grouped_polynomial(x: Any, index: Any, coefficients: Any, *, degree: int) -> Any:
    """Evaluate for every row the polynomial of its bucket (Baykal et al. 2022, arXiv:2208.04461).

    The monomials are in graded lexicographic order: 1; x1, ..., xd; x1², x1x2, ..., x1xd, x2², x2x3, ...,
    xd²; x1³, x1²x2, ...; so those of degree g stand in the order of
    ``itertools.combinations_with_replacement(range(d), g)``.

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    index
        Integer array ``(n,)`` or ``(n, k)``: the buckets of every row, in ``[0, E)``.
    coefficients
        Real array ``(E, M)``, or ``(E, h, M)`` for h outputs; M = C(d + degree, degree).
    degree
        The highest degree of a monomial, 0 to 32.

    Returns
    -------
    real array
        The shape of ``index`` for coefficients ``(E, M)``, and an axis of h more for ``(E, h, M)``.

    Raises
    ------
    TypeError
        If the index is not an integer array, or another one is not real.
    ValueError
        If the shapes do not fit, or the degree is out of range.
    IndexError
        If a bucket is out of range.
    """
    check_polynomial(x, index, coefficients, degree)
    return _evaluate(x, index, coefficients, degree, lambda array: array)


def _evaluate(x: Any, index: Any, coefficients: Any, degree: int, lay_out: Callable[[Any], Any]) -> Any:
    """Evaluate, with operands of products laid out in memory by a function."""
    xp = x.__array_namespace__()
    common = xp.result_type(x, coefficients)
    if coefficients.shape[-1] == 1:
        return xp.astype(gather(index, coefficients)[..., 0], common)
    constant, rest = gather(index, coefficients[..., 0], coefficients[..., 1:])
    rest, powers = lay_out(rest), lay_out(_monomials(xp, x, degree))
    powers = powers if index.ndim == 1 else powers[:, None, :]
    if coefficients.ndim == 2:  # noqa: PLR2004 - (E, M)
        return xp.matmul(rest[..., None, :], powers[..., None])[..., 0, 0] + constant
    return xp.matmul(rest, powers[..., None])[..., 0] + constant


def _monomials(xp: Any, x: Any, degree: int) -> Any:
    """Multiply out all monomials but the constant.

    Those of one degree are the numbers of a row, each times those of one degree less that begin with no
    earlier number: these stand together at the end.
    """
    features = x.shape[1]
    made = [x]
    for below in range(1, degree):
        before = made[-1]
        # Monomials of a degree in the last m features: C(m + degree - 1, degree).
        lengths = [math.comb(features - place + below - 1, below) for place in range(features)]
        starts = [before.shape[1] - length for length in lengths]
        parts = [x[:, place : place + 1] * before[:, start:] for place, start in enumerate(starts)]
        made.append(xp.concat(parts, axis=1))
    return xp.concat(made, axis=1)
