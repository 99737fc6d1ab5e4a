"""Arguments of the element-wise operations, drawn."""

from __future__ import annotations

import numpy as np

from meter.slow.elementwise import TABLE


def _wide(x):
    """Whether functions of real numbers take an array: NumPy would give half precision for bytes."""
    return x.dtype.kind == "f" or x.dtype.itemsize >= 4


def _unary(kinds, fits=lambda _: True):
    return lambda p: ((p.array(kinds, fits),), {})


def _pair(p, kinds, fits=lambda _: True, numbers=""):
    """Two arrays that broadcast, or an array and a number, in any order."""
    x = p.array(kinds, fits)
    other = p.number(numbers) if numbers and not p.integer(0, 2) else p.partner(x, kinds)
    return (x, other) if p.flag() else (other, x)


def _binary(kinds, fits=lambda _: True, numbers=""):
    return lambda p: (_pair(p, kinds, fits, numbers), {})


def _shift(p):
    x = p.array("iu")
    shape = p.partner(x, "iu").shape
    return (x, p.put(p.values(shape, x.dtype, low=0, high=6))), {}


def _pow(p):
    base = p.array("fi", lambda x: bool(np.all(x.array > 0)) if x.size else True)
    if base.dtype.kind == "i":
        return (
            base,
            p.integer(0, 6) if p.flag() else p.put(p.values(base.shape, "int64", low=0, high=4)),
        ), {}
    return (base, p.choose([2, p.integer(0, 9), 0.5, p.partner(base, "f")])), {}


def _clip(p):
    x = p.array("fi")
    how = p.integer(0, 3)
    bounds = [p.number("fi") if p.flag() else p.array("fi", shape=p.choose([x.shape, ()])) for _ in range(2)]
    if how == 0:
        return (x,), {}
    if how == 1:
        return (x,), {"max": bounds[0]}
    return (x, *bounds[: how - 1]), {}


def _where(p):
    condition = p.array("b")
    a = p.partner(condition)
    b = p.number("fib") if p.flag() else p.array(shape=p.choose([condition.shape, ()]))
    return (condition, a, b) if p.flag() else (condition, b, a), {}


_FUNCTIONS = (
    *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "expm1"),
    *("log", "log10", "log1p", "log2", "sin", "sinh", "sqrt", "tan", "tanh"),
)
_BITS = ("bitwise_and", "bitwise_or", "bitwise_xor")
_COMPARISONS = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
_LOGIC = ("logical_and", "logical_or", "logical_xor")

DRAWS = {
    **dict.fromkeys(_FUNCTIONS, _unary("fi", _wide)),
    **dict.fromkeys(("abs", "conj", "isfinite", "isinf", "isnan", "positive", "real"), _unary("fibu")),
    **dict.fromkeys(("negative", "sign", "square"), _unary("fiu")),
    **dict.fromkeys(_BITS, _binary("ib", numbers="b")),
    **dict.fromkeys(_COMPARISONS, _binary("fibu", numbers="fib")),
    **dict.fromkeys(_LOGIC, _binary("b", numbers="b")),
    **dict.fromkeys(("add", "multiply"), _binary("fibu", numbers="fib")),
    **dict.fromkeys(("divide", "maximum", "minimum"), _binary("fibu", numbers="fi")),
    **dict.fromkeys(("atan2", "copysign", "hypot", "nextafter"), _binary("fi", _wide, numbers="f")),
    "bitwise_invert": _unary("iub"),
    "bitwise_left_shift": _shift,
    "bitwise_right_shift": _shift,
    "clip": _clip,
    "logaddexp": _binary("f", numbers="f"),
    "logical_not": _unary("b"),
    "pow": _pow,
    "reciprocal": _unary("f"),
    "signbit": _unary("f"),
    "subtract": _binary("fiu", numbers="fi"),
    "where": _where,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
