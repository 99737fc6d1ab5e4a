"""Functions of the normal distribution: its error function, and the activation made of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, name_of
from sparsebench.ops.core.arguments import real, word
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import CONVENTION, primitive

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["erf", "gelu"]

# W. J. Cody, Rational Chebyshev approximations for the error function, Math. Comp. 23 (1969), 631-637, with
# the digits of netlib's CALERF. Coefficients of numerator and denominator, the highest power first.
_NEAR = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_MIDDLE = (
    (
        2.15311535474403846e-8,
        5.64188496988670089e-1,
        8.88314979438837594e0,
        6.61191906371416295e1,
        2.98635138197400131e2,
        8.81952221241769090e2,
        1.71204761263407058e3,
        2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0,
        1.57449261107098347e1,
        1.17693950891312499e2,
        5.37181101862009858e2,
        1.62138957456669019e3,
        3.29079923573345963e3,
        4.36261909014324716e3,
        3.43936767414372164e3,
        1.23033935480374942e3,
    ),
)
_TO_MIDDLE = 0.46875
# The paper has a third formula from 4 on, for the digits of 1 - erf. Those of erf do not need it: 1 - erf is
# below 2e-8 there, of which the second gives twelve digits, and at 6 it is below half of the last digit of 1.
_TO_ONE = 6.0

_CHUNK = 1 << 13  # numbers at once: what stands between steps stays in a processor's cache

_ROOT_HALF = math.sqrt(0.5)
_LINEAR = math.sqrt(2.0 / math.pi)  # of the argument of tanh
_CUBIC = 0.044715 * _LINEAR


def _erf_cost(call: Call) -> tuple[Charge, ...]:
    return (Charge("special", name_of(call.x.dtype), call["..."]),)


def _erf_elements(call: Call) -> int:
    return 2 * call["..."]  # the result, and a copy of what does not lie in one piece


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Any) -> Any:
    """Divide one polynomial by another."""
    over, under = (_polynomial(part, x) for part in coefficients)
    return over / under


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    first, *rest = coefficients
    total = first * x + rest[0]
    for coefficient in rest[1:]:
        total = total * x + coefficient
    return total


def _erf(xp: Any, x: Any) -> Any:
    """Return the error function of float64 numbers.

    Every formula sees numbers that it was made for, so that none overflows where another one is taken.
    """
    low = xp.clip(x, -_TO_MIDDLE, _TO_MIDDLE)
    near = low * _ratio(_NEAR, low * low)
    size = xp.abs(x)
    middle = xp.clip(size, _TO_MIDDLE, _TO_ONE)
    above = 1.0 - xp.exp(-(middle * middle)) * _ratio(_MIDDLE, middle)
    # A NaN is given by the first formula, whose NaNs all have its sign: there is none to choose between.
    return xp.where(size > _TO_MIDDLE, xp.where(x < 0.0, -above, above), near)


def _erf_steady(call: Call) -> Any:
    """Return it chunk by chunk, which is twice as fast, and takes little memory beside the result."""
    flat = np.ascontiguousarray(call.x).reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        out[part] = _erf(ON_NUMPY, flat[part].astype(np.float64))
    return out.reshape(call.x.shape)


@primitive(
    cost=_erf_cost,
    elements=_erf_elements,
    steady=_erf_steady,
    price="1 function evaluation per element",
    example="p = 0.5 + 0.5 * ops.erf(x)",
    source=CONVENTION,
    base=True,
)
def erf(x: Annotated[Any, real("...")]) -> Annotated[Any, real("...")]:
    """Return the error function, by rational approximations (Cody 1969).

    The integral of ``2 / sqrt(pi) * exp(-t * t)`` from 0 to ``x``. It is computed in float64, where it is off
    by a few units of the last digit.

    Parameters
    ----------
    x
        Real array of any shape.

    Returns
    -------
    real array of the shape and the dtype of ``x``
        In [-1, 1], which are the values at the infinities. A zero keeps its sign, and NaN stays NaN.

    Raises
    ------
    TypeError
        If ``x`` is not real.
    """
    xp = x.__array_namespace__()
    return xp.astype(_erf(xp, xp.astype(x, xp.float64)), x.dtype)


def _gelu_cost(call: Call) -> tuple[Charge, ...]:
    dtype, size = name_of(call.x.dtype), call["..."]
    multiplications, additions = (3, 1) if call.approximate == "none" else (5, 2)
    return (
        Charge("mul", dtype, multiplications * size),
        Charge("add", dtype, additions * size),
        Charge("special", dtype, size),
    )


def _gelu_elements(call: Call) -> int:
    return 4 * call["..."]


def _gelu(xp: Any, x: Any, approximate: str) -> Any:
    if approximate == "none":
        return 0.5 * x * (1.0 + erf(_ROOT_HALF * x))
    return 0.5 * x * (1.0 + xp.tanh(x * (_LINEAR + _CUBIC * (x * x))))


@np.errstate(all="ignore")
def _gelu_steady(call: Call) -> Any:
    made = _gelu(ON_NUMPY, call.x, call.approximate)
    # Which of two NaNs a product keeps depends on its place.
    return np.where(np.isnan(made), call.x.dtype.type(np.nan), made)


@primitive(
    cost=_gelu_cost,
    elements=_gelu_elements,
    steady=_gelu_steady,
    price="per element 3 multiplications, 1 addition and 1 function evaluation (ops.erf); as tanh: 5 "
    "multiplications, 2 additions and 1 function evaluation",
    example="h = ops.gelu(x @ w)",
)
def gelu(
    x: Annotated[Any, real("...")], *, approximate: Annotated[str, word("none", "tanh")] = "none"
) -> Annotated[Any, real("...")]:
    """Multiply numbers by the share of a normal distribution below them (Hendrycks and Gimpel 2016).

    ``x / 2 * (1 + erf(x / sqrt(2)))``: arXiv:1606.08415.

    Parameters
    ----------
    x
        Real array of any shape.
    approximate
        ``none``, or ``tanh`` for the paper's approximation
        ``x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3)))``, which is off by up to 0.0005.

    Returns
    -------
    real array of the shape and the dtype of ``x``
        NaN of minus infinity, as of NaN.

    Raises
    ------
    TypeError
        If ``x`` is not real.
    ValueError
        If ``approximate`` is not one of these.
    """
    return _gelu(x.__array_namespace__(), x, approximate)
