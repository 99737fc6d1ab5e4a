"""Student's t distribution, from the regularised incomplete beta function.

Formulas: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.5.8 (the continued fraction), 26.5.2
(its reflection) and 26.7.1 (t from beta); the fraction is summed by the modified Lentz method.
"""

from __future__ import annotations

import math
from functools import lru_cache

from sparsebench.errors import UsageError

__all__ = ["t_cdf", "t_quantile", "t_two_sided"]

_TINY = 1e-300  # replaces a zero denominator in the Lentz method
_LAST_BITS = 1e-15
_MAX_TERMS = 100_000  # the fraction needs about sqrt(df) steps


def t_cdf(t: float, df: float) -> float:
    """Return the probability that a t variable with ``df`` degrees of freedom is at most ``t``.

    Parameters
    ----------
    t
        Any number but NaN.
    df
        Degrees of freedom, positive.

    Raises
    ------
    UsageError
        ``t`` is NaN or ``df`` is not positive.
    """
    tail = t_two_sided(t, df) / 2.0
    return 1.0 - tail if t > 0 else tail


def t_two_sided(t: float, df: float) -> float:
    """Return the probability that a t variable with ``df`` degrees of freedom is at least ``|t|`` in size.

    Accurate in relative terms far out in the tails, where ``1 - t_cdf`` has no digits left.

    Raises
    ------
    UsageError
        ``t`` is NaN or ``df`` is not positive.
    """
    if math.isnan(t) or not (df > 0 and math.isfinite(df)):
        raise UsageError(
            f"t = {t} with {df} degrees of freedom, expected a number and a positive number",
            help="a t distribution needs at least two values",
        )
    size = abs(t) / math.sqrt(df)
    # x = df / (df + t^2) and 1 - x, each written so that it keeps its digits where it is small
    if size > 1.0:
        small = size**-2
        return _incomplete_beta(small / (1.0 + small), 1.0 / (1.0 + small), df / 2.0, 0.5)
    small = size**2
    return _incomplete_beta(1.0 / (1.0 + small), small / (1.0 + small), df / 2.0, 0.5)


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: float) -> float:
    """Return the t with ``t_cdf(t, df) == p``, to the last bits.

    It uses bisection, which always converges; the few quantiles that a board needs are cached.

    Parameters
    ----------
    p
        Probability, strictly between 0 and 1.
    df
        Degrees of freedom, positive.

    Raises
    ------
    UsageError
        ``p`` is not inside (0, 1), or ``df`` is not positive.
    """
    if not 0.0 < p < 1.0:
        raise UsageError(f"probability is {p}, expected 0 < p < 1", help="a 95 % interval has p = 0.975")
    if p < 0.5:  # noqa: PLR2004 - the median, where the distribution is mirrored
        return -_upper_quantile(2.0 * p, df)
    return _upper_quantile(2.0 * (1.0 - p), df)


def _upper_quantile(two_sided: float, df: float) -> float:
    low, high = 0.0, 1.0
    while t_two_sided(high, df) > two_sided:
        low, high = high, 2.0 * high
    while True:
        middle = low + (high - low) / 2.0
        if middle in {low, high}:
            return middle
        if t_two_sided(middle, df) > two_sided:
            low = middle
        else:
            high = middle


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """Return I_x(a, b), where ``rest`` is ``1 - x`` without its rounding."""
    if x == 0.0:
        return 0.0
    if rest == 0.0:
        return 1.0
    log_scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_scale + a * math.log(x) + b * math.log(rest))
    if x < (a + 1.0) / (a + b + 2.0):  # the fraction converges fast on this side
        return min(1.0, front * _beta_fraction(x, a, b) / a)
    return max(0.0, 1.0 - front * _beta_fraction(rest, b, a) / b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    total = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        step = 1.0
        for term in (even, odd):
            d = 1.0 / _not_zero(1.0 + term * d)
            c = _not_zero(1.0 + term / c)
            step = c * d
            total *= step
        if abs(step - 1.0) <= _LAST_BITS:
            break
    return total


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
