"""Slow element-wise operations."""

from __future__ import annotations

import operator

import numpy as np

from meter.scalars import (
    Number,
    exponential,
    maximum,
    minimum,
    number,
    operation,
    promoted,
    spend,
    square_root,
)
from meter.slow.arrays import Slow, elementwise

_log1p = operation("special", np.log1p)


def _sign(x):
    above, below = x > 0, x < 0
    return x if not above and not below else Number(x.value.dtype.type(1 if above else -1))


def _hypot(a, b):
    a, b = promoted(a, b)
    return square_root(a * a + b * b)


def _logaddexp(a, b):
    a, b = promoted(a, b)
    larger = maximum(a, b)
    smaller = b if larger.value == a.value else a  # the comparison told which
    return larger + _log1p(exponential(smaller - larger))


def _select(condition, a, b):
    a, b = promoted(a, b)
    spend("select", a.dtype)
    return a if condition else b


def _pow(a, b):
    """Square and multiply where the exponent is Python's: one bit of it after the other."""
    if type(b) is not int or b < 0:
        return operation("special", np.power)(a, b)
    (made,) = promoted(a)
    if not b:
        return number(1, made.dtype)
    start = made
    for bit in f"{b:b}"[1:]:
        made = made * made
        made = made * start if bit == "1" else made
    return made


def clip(x, min=None, max=None):  # noqa: A002 - the standard's names
    def limit(one, *bounds):
        one, *bounds = promoted(one, *bounds)
        if min is not None:
            one = maximum(one, bounds.pop(0))
        return one if max is None else minimum(one, bounds[0])

    return elementwise(limit)(x, *(bound for bound in (min, max) if bound is not None))


def _same(x):
    return Slow(x.cells.copy(), x.dtype)


_SPECIAL = {
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": np.arctanh,
    **{name: getattr(np, name) for name in ("cos", "cosh", "exp", "expm1", "log", "log10", "log1p", "log2")},
    **{name: getattr(np, name) for name in ("sin", "sinh", "tan", "tanh")},
}
_OPERATORS = {
    "abs": operator.abs,
    "add": operator.add,
    "bitwise_and": operator.and_,
    "bitwise_invert": operator.invert,
    "bitwise_left_shift": operator.lshift,
    "bitwise_or": operator.or_,
    "bitwise_right_shift": operator.rshift,
    "bitwise_xor": operator.xor,
    "divide": operator.truediv,
    "equal": operator.eq,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
    "logical_and": operator.and_,
    "logical_not": operator.invert,
    "logical_or": operator.or_,
    "logical_xor": operator.xor,
    "multiply": operator.mul,
    "negative": operator.neg,
    "not_equal": operator.ne,
    "subtract": operator.sub,
}
TABLE = {
    **{name: elementwise(operation("special", function)) for name, function in _SPECIAL.items()},
    **{name: elementwise(function) for name, function in _OPERATORS.items()},
    "clip": clip,
    "conj": _same,
    "copysign": elementwise(operation("logic", np.copysign)),
    "hypot": elementwise(_hypot),
    "isfinite": elementwise(operation("cmp", np.isfinite)),
    "isinf": elementwise(operation("cmp", np.isinf)),
    "isnan": elementwise(operation("cmp", np.isnan)),
    "logaddexp": elementwise(_logaddexp),
    "maximum": elementwise(maximum),
    "minimum": elementwise(minimum),
    "nextafter": elementwise(operation("logic", np.nextafter)),
    "positive": _same,
    "pow": elementwise(_pow),
    "real": _same,
    "reciprocal": elementwise(lambda x: 1.0 / x),
    "sign": elementwise(_sign),
    "signbit": elementwise(operation("cmp", np.signbit)),
    "sqrt": elementwise(square_root),
    "square": elementwise(lambda x: x * x),
    "where": elementwise(_select),
}
