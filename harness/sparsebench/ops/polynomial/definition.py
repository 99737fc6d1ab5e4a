"""Polynomials: every row goes through that of the bucket that it was routed to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core.arguments import Length, Whole, integer, real
from sparsebench.ops.core.blocks import blocks
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.lookup.definition import gather, lookup_charges

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops.core.call import Call

__all__ = ["MOST_DEGREE", "grouped_polynomial"]

MOST_DEGREE = 32

_CHUNK = 1 << 21  # elements of monomials and gathered coefficients held at once by the steady backend


def _cost(call: Call) -> tuple[Charge, ...]:
    monomials, common = call["M"], call.promoted("x", "coefficients")
    made = monomials - 1 - (call["d"] if call.degree else 0)
    charges = (
        *lookup_charges(call.index, call.coefficients),
        Charge("mul", call.x.dtype.name, call["n"] * made),
    )
    if monomials > 1:
        values = _values(call)
        charges += (*inner_product(values, monomials - 1, common), Charge("add", common.name, values))
    return charges


def _values(call: Call) -> int:
    return call["n"] * call["k"] * call["h"]


def _elements(call: Call) -> int:
    return _values(call) + _held(call) if _values(call) else 0


def _held(call: Call) -> int:
    """Count the elements that one address takes."""
    return 3 * call["M"] + call["h"] * call["M"]


def _steady(call: Call) -> Any:
    """Go through the definition in chunks. Each value is an inner product of its own."""
    x, index, coefficients = call.x, call.index, call.coefficients
    out = np.empty((*index.shape, *coefficients.shape[1:-1]), dtype=call.promoted("x", "coefficients"))
    if not out.size:
        return out  # there may be more monomials than memory
    for part in blocks(index.shape, _held(call), _CHUNK):
        out[part] = _evaluate(x[part[0]], index[part], coefficients, call.degree, np.ascontiguousarray)
    return out


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="M monomials of d features: M - 1 - d multiplications per input; per address: 1 look-up, and "
    "2(M - 1) for every output",
    example="y = ops.grouped_polynomial(x, bucket, coefficients, degree=2)",
    lengths={"M": Length("C(d + degree, degree)", lambda d, degree: math.comb(d + degree, degree))},
)
def grouped_polynomial(
    x: Annotated[Any, real("n, d")],
    index: Annotated[Any, integer("n[, k]", below="E")],
    coefficients: Annotated[Any, real("E[, h], M", at="index")],
    *,
    degree: Annotated[int, Whole(0, MOST_DEGREE)],
) -> Annotated[Any, real("n[, k][, h]")]:
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
