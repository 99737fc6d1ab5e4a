"""Sine, cosine and exponential that give the same bits on every machine.

``numpy.sin``, ``cos`` and ``exp`` differ in the last bit between versions, processors and C libraries, so a
label made with them has no fixed hash. The functions here are polynomials in + - * of float64 arrays, each
operation a ufunc of its own (so nothing is fused), after an exact reduction of the argument (rounding to an
integer, and differences that Sterbenz's lemma makes exact). The results are within 2 ulp of the true values;
the tests compare them with rational arithmetic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Float64 = NDArray[np.float64]

__all__ = ["EXP_LIMIT", "cos2pi", "exp", "sin2pi"]

EXP_LIMIT = 700.0
"""The largest absolute value that `exp` takes: its result is neither infinite nor subnormal."""

_TWO_PI_TAIL = 2.4492935982947064e-16
"""2 pi minus the float64 nearest to it, the first of `_SINE`."""

_SINE = (
    6.283185307179586,
    -41.34170224039976,
    81.60524927607506,
    -76.70585975306139,
    42.058693944897655,
    -15.09464257682299,
    3.819952584848282,
    -0.7181223017785006,
    0.10422916220813984,
    -0.012031585942120627,
)
"""Taylor coefficients of sin(2 pi s) at s, s^3, ..., s^19: for |s| <= 1/8 the rest is below 2^-63."""

_COSINE = (
    1.0,
    -19.739208802178716,
    64.9393940226683,
    -85.45681720669373,
    60.24464137187666,
    -26.4262567833744,
    7.903536371318469,
    -1.714390711088672,
    0.28200596845579123,
    -0.03638284114254567,
)
"""Taylor coefficients of cos(2 pi s) at 1, s^2, ..., s^18: for |s| <= 1/8 the rest is below 2^-67."""

_EXPONENTIAL = (
    0.5,
    0.16666666666666666,
    0.041666666666666664,
    0.008333333333333333,
    0.001388888888888889,
    0.0001984126984126984,
    2.48015873015873e-05,
    2.7557319223985893e-06,
    2.755731922398589e-07,
    2.505210838544172e-08,
    2.08767569878681e-09,
    1.6059043836821613e-10,
    1.1470745597729725e-11,
)
"""1/2!, 1/3!, ..., 1/14!: for |r| <= log(2)/2 the rest of the series is below 2^-62."""

_LOG2_E = 1.4426950408889634
_LOG_2_HEAD = 0.6931471806019545
"""log 2 to 33 bits, so that its products with integers below 2^20 are exact."""
_LOG_2_TAIL = -4.2009150726810846e-11
"""log 2 minus `_LOG_2_HEAD`."""


def sin2pi(x: ArrayLike) -> Float64:
    """Return sin(2 pi x) for any finite x ``(...)``, as float64 of the same shape.

    Exactly 0, 1 and -1 where the sine is; odd and of period 1, bit for bit, where x + 1 is exact.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    quarter, rest = _quarters(_finite("sin2pi", x))
    return _turn(quarter, _sine(rest), _cosine(rest))


def cos2pi(x: ArrayLike) -> Float64:
    """Return cos(2 pi x) for any finite x ``(...)``, as float64 of the same shape.

    Exactly 0, 1 and -1 where the cosine is; even and of period 1, bit for bit, where x + 1 is exact.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    quarter, rest = _quarters(_finite("cos2pi", x))
    return _turn(quarter + 1.0, _sine(rest), _cosine(rest))


def exp(x: ArrayLike) -> Float64:
    """Return e^x for x ``(...)`` with absolute values up to `EXP_LIMIT`, as float64 of the same shape.

    x = k log 2 + r with an integer k; e^r is a polynomial, and scaling by 2^k is exact. Exactly 1 at 0.

    Raises
    ------
    ValueError
        If a value is not finite, or too large.
    """
    values = _finite("exp", x)
    if (np.abs(values) > EXP_LIMIT).any():
        largest = float(np.abs(values).max())
        raise ValueError(f"exp: expected |x| <= {EXP_LIMIT:g}, got {largest:g}; scale the argument")
    k = np.rint(values * _LOG2_E)
    head = values - k * _LOG_2_HEAD  # exact: the product is exact, and the two numbers are near each other
    tail = k * _LOG_2_TAIL
    r = head - tail
    lost = (head - r) - tail  # exactly the part that rounding r has dropped
    square = r * r
    result = 1.0 + (r + (lost + square * _horner(_EXPONENTIAL, r)))
    return np.ldexp(result, k.astype(np.int32))


def _finite(name: str, x: ArrayLike) -> Float64:
    values = np.asarray(x, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: expected finite values, got infinity or NaN; check the argument")
    return values


def _quarters(x: Float64) -> tuple[Float64, Float64]:
    """Split x = whole turns + q / 4 + s, with an integer q and |s| <= 1/8, into q and s, without rounding.

    Each difference is exact (Sterbenz): its numbers are within a factor of two of each other, or one is 0.
    """
    turn = x - np.rint(x)
    quarter = np.rint(4.0 * turn)
    return quarter, turn - 0.25 * quarter


def _sine(s: Float64) -> Float64:
    square = s * s
    return s * _SINE[0] + s * (_TWO_PI_TAIL + square * _horner(_SINE[1:], square))


def _cosine(s: Float64) -> Float64:
    square = s * s
    return 1.0 + square * _horner(_COSINE[1:], square)


def _turn(quarter: Float64, sine: Float64, cosine: Float64) -> Float64:
    """Compute the sine of q quarter turns plus s from the sine and cosine of s."""
    size = np.where(quarter % 2.0 == 0.0, sine, cosine)
    signed = np.where(quarter % 4.0 < 2.0, size, -size)  # noqa: PLR2004 - half a turn
    return signed + 0.0  # -0.0 becomes 0.0


def _horner(coefficients: Sequence[float], x: Float64) -> Float64:
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total
