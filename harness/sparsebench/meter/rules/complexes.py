"""Complex numbers: charged as the real operations of textbook formulas, on their two components.

A complex operation of dtype ``complex64`` is charged as operations of dtype ``float32``. A real operand
counts as promoted, as NumPy computes it: the rule is simple, and gives the higher price.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.meter.rules.base import COUNTED, FREE, Plan, Rule
from sparsebench.meter.rules.kinds import Array
from sparsebench.ops.charges import Charge

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FORMULAS", "RULES", "Formula", "charged", "component", "in_words", "refuse_complex", "spread"]

_WORDS = {
    "mul": ("multiplication", "multiplications"),
    "add": ("addition", "additions"),
    "cmp": ("comparison", "comparisons"),
    "logic": ("logical operation", "logical operations"),
    "div": ("division", "divisions"),
    "sqrt": ("square root", "square roots"),
    "special": ("function evaluation", "function evaluations"),
}


class Formula(NamedTuple):
    """The real operations of a complex one, with z = a + bi and w = c + di."""

    counts: Counter[str]
    """Real operations per element, by kind."""
    text: str
    """The formula."""


def _of(**kinds: int) -> Counter[str]:
    return Counter(kinds)


_NEGATION = _of(add=1)  # of one component
_ADD = _of(add=2)
_MULTIPLY = _of(mul=4, add=2)
_SQUARE = _of(mul=3, add=2)
_ABS = _of(mul=2, add=1, sqrt=1)
_EXP = _of(special=3, mul=2)
_LOG = _of(mul=3, add=1, special=2)
_SQRT = _ABS + _of(add=2, mul=2, sqrt=2, logic=1)
_TESTS = _of(cmp=2, logic=1)
_WAVES = _of(special=4, mul=2)  # sines and cosines of a times hyperbolic ones of b
_ASIN = _NEGATION + _SQUARE + _ADD + _SQRT + _ADD + _LOG + _NEGATION
_TAN = _of(mul=2, special=4, add=1, div=2)

FORMULAS: dict[str, Formula] = {
    "abs": Formula(_ABS, "√(a² + b²)"),
    "acos": Formula(_ASIN + _ADD, "π/2 - asin z"),
    "acosh": Formula(_ADD + _SQRT + _SQRT + _MULTIPLY + _ADD + _LOG, "log(z + √(z + 1)·√(z - 1))"),
    "add": Formula(_ADD, "(a + c) + (b + d)i"),
    "asin": Formula(_ASIN, "-i·log(iz + √(1 - z²))"),
    "asinh": Formula(_SQUARE + _of(add=1) + _SQRT + _ADD + _LOG, "log(z + √(z² + 1))"),
    "atan": Formula(
        _NEGATION + _of(add=3) + _LOG + _LOG + _ADD + _of(mul=2) + _NEGATION,
        "i/2·(log(1 - iz) - log(1 + iz))",
    ),
    "atanh": Formula(_of(add=3) + _LOG + _LOG + _ADD + _of(mul=2), "(log(1 + z) - log(1 - z))/2"),
    "conj": Formula(_NEGATION, "a - bi"),
    "cos": Formula(_WAVES + _NEGATION, "cos a·cosh b - sin a·sinh b·i"),
    "cosh": Formula(_WAVES, "cosh a·cos b + sinh a·sin b·i"),
    "divide": Formula(_of(mul=6, add=3, div=2), "(a + bi)(c - di)/(c² + d²)"),
    "equal": Formula(_TESTS, "a = c and b = d"),
    "exp": Formula(_EXP, "eᵃ·(cos b + i·sin b)"),
    "expm1": Formula(_EXP + _of(add=1), "exp z - 1"),
    "isfinite": Formula(_TESTS, "isfinite a and isfinite b"),
    "isinf": Formula(_TESTS, "isinf a or isinf b"),
    "isnan": Formula(_TESTS, "isnan a or isnan b"),
    "log": Formula(_LOG, "log(a² + b²)/2 + atan2(b, a)i"),
    "log10": Formula(_LOG + _of(mul=2), "log z·(1/log 10)"),
    "log1p": Formula(_LOG + _of(add=1), "log(1 + z)"),
    "log2": Formula(_LOG + _of(mul=2), "log z·(1/log 2)"),
    "multiply": Formula(_MULTIPLY, "(ac - bd) + (ad + bc)i"),
    "negative": Formula(_ADD, "-a - bi"),
    "not_equal": Formula(_TESTS, "a ≠ c or b ≠ d"),
    "pow": Formula(_LOG + _MULTIPLY + _EXP, "exp(w·log z)"),
    "reciprocal": Formula(_of(mul=2, add=2, div=2), "(a - bi)/(a² + b²)"),
    "sign": Formula(_ABS + _of(cmp=1, div=2), "z/|z|, and 0 of 0"),
    "sin": Formula(_WAVES, "sin a·cosh b + cos a·sinh b·i"),
    "sinh": Formula(_WAVES, "sinh a·cos b + cosh a·sin b·i"),
    "sqrt": Formula(_SQRT, "√((|z| + a)/2) + √((|z| - a)/2)i, with the sign of b"),
    "square": Formula(_SQUARE, "(a² - b²) + (ab + ab)i"),
    "subtract": Formula(_ADD, "(a - c) + (b - d)i"),
    "tan": Formula(_TAN, "(sin 2a + sinh 2b·i)/(cos 2a + cosh 2b)"),
    "tanh": Formula(_TAN, "(sinh 2a + sin 2b·i)/(cosh 2a + cos 2b)"),
}
"""Operation -> its formula on complex numbers. Operations that are not here take only real numbers."""

_REAL = {"add": "add", "subtract": "add", "multiply": "mul", "not_equal": "cmp"}


def component(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the real and imaginary parts; for real numbers, the dtype itself."""
    return np.dtype(f"float{4 * dtype.itemsize}") if dtype.kind == "c" else dtype


def spread(counts: Mapping[str, int], dtype: np.dtype[Any], amount: int) -> tuple[Charge, ...]:
    """Return the charges of ``amount`` times some real operations; for a complex dtype, on its components."""
    name = component(dtype).name
    return tuple(Charge(kind, name, each * amount) for kind, each in counts.items())


def charged(operation: str, dtype: np.dtype[Any], amount: int) -> tuple[Charge, ...]:
    """Return the charges of additions, subtractions, multiplications or comparisons of numbers.

    Parameters
    ----------
    operation
        ``add``, ``subtract``, ``multiply`` or ``not_equal``.
    dtype
        The dtype of the operands.
    amount
        The number of operations.
    """
    counts = FORMULAS[operation].counts if dtype.kind == "c" else {_REAL[operation]: 1}
    return spread(counts, dtype, amount)


def in_words(counts: Mapping[str, int]) -> str:
    """Return the numbers and kinds of these operations in words."""
    return ", ".join(
        f"{counts[kind]} {words[counts[kind] > 1]}" for kind, words in _WORDS.items() if counts.get(kind)
    )


def refuse_complex(name: str, *dtypes: np.dtype[Any]) -> None:
    """Refuse complex numbers if the operation needs an order, or is not defined on them.

    Raises
    ------
    TypeError
        If one of the dtypes is complex.
    """
    if any(dtype.kind == "c" for dtype in dtypes):
        raise TypeError(f"{name}: expected real numbers, got complex ones; use xp.real, xp.imag or xp.abs")


def _conj(x: Array, /) -> Any:
    return np.conjugate(x) if x.dtype.kind == "c" else x.copy()


def _conj_plan(x: Any, /) -> Plan:
    charges = spread(FORMULAS["conj"].counts, x.dtype, x.size) if x.dtype.kind == "c" else FREE
    return Plan(charges, x.nbytes)


def _real(x: Array, /) -> Any:
    return x.real.copy()


def _imag(x: Array, /) -> Any:
    return x.imag.copy()


def _part_plan(x: Any, /) -> Plan:
    return Plan(FREE, x.size * component(x.dtype).itemsize)


def _imag_plan(x: Any, /) -> Plan:
    if x.dtype.kind != "c":
        raise TypeError(f"imag: expected complex numbers, got {x.dtype}; the imaginary part is 0")
    return _part_plan(x)


RULES: tuple[Rule, ...] = (
    Rule("conj", _conj, _conj_plan, "0; complex: 1 addition, a - bi", "xp.conj(x)", source=COUNTED),
    Rule("imag", _imag, _imag_plan, "0: a component", "xp.imag(x)", source=COUNTED, wiring=True),
    Rule("real", _real, _part_plan, "0: a component", "xp.real(x)", source=COUNTED, wiring=True),
)
"""The rules of components."""
