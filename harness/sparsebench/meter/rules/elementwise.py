"""Element-wise operations."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.meter.rules import complexes, special_values
from sparsebench.meter.rules.base import COUNTED, DEFINITION, Plan, Rule, common_dtype, shape_of
from sparsebench.meter.rules.complexes import FORMULAS, in_words, refuse_complex, spread
from sparsebench.meter.rules.kinds import Array, Operand, OperandOrNone
from sparsebench.meter.values import DTYPES
from sparsebench.ops.charges import selections
from sparsebench.ops.core import steady

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["RULES"]


class _Operation(NamedTuple):
    """A NumPy function and its price on real numbers."""

    function: Callable[..., Any]
    """The ufunc."""
    counts: Mapping[str, int]
    """Operations per element of the result, by kind."""
    formula: str = ""
    """The formula that was counted, where the cost model does not say it."""


_DEFINED: dict[str, dict[str, Callable[..., Any]]] = {
    "add": {"add": np.add, "negative": np.negative, "subtract": np.subtract},
    "cmp": {
        "abs": np.abs,
        "equal": np.equal,
        "greater": np.greater,
        "greater_equal": np.greater_equal,
        "isfinite": np.isfinite,
        "isinf": np.isinf,
        "isnan": np.isnan,
        "less": np.less,
        "less_equal": np.less_equal,
        "maximum": np.maximum,
        "minimum": np.minimum,
        "not_equal": np.not_equal,
    },
    "div": {"divide": np.divide, "reciprocal": np.reciprocal},
    "logic": {
        "bitwise_and": np.bitwise_and,
        "bitwise_invert": np.bitwise_invert,
        "bitwise_left_shift": np.bitwise_left_shift,
        "bitwise_or": np.bitwise_or,
        "bitwise_right_shift": np.bitwise_right_shift,
        "bitwise_xor": np.bitwise_xor,
        "logical_and": np.logical_and,
        "logical_not": np.logical_not,
        "logical_or": np.logical_or,
        "logical_xor": np.logical_xor,
    },
    "mul": {"multiply": np.multiply, "square": np.square},
    "special": {
        "acos": np.arccos,
        "acosh": np.arccosh,
        "asin": np.arcsin,
        "asinh": np.arcsinh,
        "atan": np.arctan,
        "atan2": np.arctan2,
        "atanh": np.arctanh,
        "cos": np.cos,
        "cosh": np.cosh,
        "exp": np.exp,
        "expm1": np.expm1,
        "log": np.log,
        "log10": np.log10,
        "log1p": np.log1p,
        "log2": np.log2,
        "pow": np.power,
        "sin": np.sin,
        "sinh": np.sinh,
        "tan": np.tan,
        "tanh": np.tanh,
    },
    "sqrt": {"sqrt": np.sqrt},
}
"""Kind -> operations of which the cost model says that they are one of it."""

_COUNTED: dict[str, _Operation] = {
    "copysign": _Operation(np.copysign, {"logic": 1}, "one transfer of the sign bit"),
    "hypot": _Operation(np.hypot, {"mul": 2, "add": 1, "sqrt": 1}, "√(x1² + x2²)"),
    "logaddexp": _Operation(np.logaddexp, {"cmp": 1, "add": 2, "special": 2}, "max + log1p(exp(min - max))"),
    "nextafter": _Operation(np.nextafter, {"logic": 1}, "one step on the bits of x1"),
    "signbit": _Operation(np.signbit, {"cmp": 1}, "x < 0, on the sign bit"),
}

_OPERATIONS: dict[str, _Operation] = {
    **{name: _Operation(f, {kind: 1}) for kind, group in _DEFINED.items() for name, f in group.items()},
    "sign": _Operation(np.sign, {"cmp": 2}),
    **_COUNTED,
}
_STEADY = {"special", "sqrt"}
"""Kinds whose code may give other bits at other places in memory. A lone square root does not, but hypot."""


def _elements(*operands: Any) -> int:
    return math.prod(np.broadcast_shapes(*map(shape_of, operands)))


def _plan(name: str, *operands: Any) -> Plan:
    result = _result_dtype(name, operands)
    common = common_dtype(*operands)
    is_complex = common.kind == "c"
    elements = _elements(*operands)
    counts = FORMULAS[name].counts if is_complex else _OPERATIONS[name].counts
    if _is_whole_power(name, operands):
        counts = _power(operands[1], FORMULAS["multiply"].counts if is_complex else {"mul": 1})
    nbytes = elements * result.itemsize
    if is_complex or _is_steady(name):
        filled = elements + (elements == 1)  # steady.evaluate makes two elements of one
        nbytes = filled * result.itemsize + sum(_dense_bytes(x, filled) for x in operands)
    if is_complex and name in special_values.MENDED:
        nbytes += special_values.mended_bytes(elements, result.itemsize)
    return Plan(spread(counts, common, elements), nbytes)


def _is_whole_power(name: str, operands: tuple[Any, ...]) -> bool:
    return name == "pow" and type(operands[1]) is int and operands[1] >= 0


def _power(exponent: int, each: Mapping[str, int]) -> dict[str, int]:
    """Count the multiplications of repeated squaring: Knuth, The Art of Computer Programming, 4.6.3."""
    many = max(exponent.bit_length() - 1 + exponent.bit_count() - 1, 0)
    return {kind: amount * many for kind, amount in each.items()}


def _dense_bytes(operand: Any, elements: int) -> int:
    """Return the bytes of the dense copy that :func:`steady.evaluate` makes of an operand."""
    if not isinstance(operand, np.ndarray):
        return 0
    return 0 if operand.size == elements and operand.flags.c_contiguous else elements * operand.itemsize


def _result_dtype(name: str, operands: tuple[Any, ...]) -> np.dtype[Any]:
    """Return the dtype of the result; refuse dtypes that the operation does not accept, before it runs."""
    given = tuple(_dtype_or_type(operand) for operand in operands)
    if name.startswith("logical_") and any(dtype != np.bool_ for dtype in given):
        raise TypeError(f"{name}: expected booleans; compare first, e.g. x != 0")
    if name == "reciprocal" and common_dtype(*operands).kind not in "fc":
        raise TypeError(f"{name}: expected a real array; use 1.0 / x")
    if name not in FORMULAS:
        refuse_complex(name, common_dtype(*operands))
    result: np.dtype[Any] = _OPERATIONS[name].function.resolve_dtypes((*given, None))[-1]  # type: ignore[attr-defined]
    if result.name not in DTYPES:
        raise TypeError(f"{name}: the result would be {result}; cast to float32 or float64 first")
    return result


def _dtype_or_type(operand: Any) -> Any:
    """Return what NumPy's promotion uses: an array's dtype, a Python number's type."""
    if isinstance(operand, bool):
        return np.dtype(np.bool_)
    return operand.dtype if isinstance(operand, np.ndarray) else type(operand)


@functools.cache
def _is_steady(name: str) -> bool:
    counts = _OPERATIONS[name].counts
    return not _STEADY.isdisjoint(counts) and name != "sqrt"


def _is_complex(operand: Any) -> bool:
    return isinstance(operand, complex) or (isinstance(operand, np.ndarray) and operand.dtype.kind == "c")


def _unary(name: str) -> Callable[..., Any]:
    """Compute a function of one array so that a row's bits do not depend on its neighbours.

    Products, quotients and magnitudes of complex numbers go through other code at other places in memory.
    """
    function, is_steady = _OPERATIONS[name].function, _is_steady(name)

    mended = special_values.MENDED.get(name)

    def run(operand: Operand, /) -> Any:
        if mended is not None and _is_complex(operand):
            return mended(np.asarray(operand))
        if is_steady or _is_complex(operand):
            return steady.evaluate(function, operand)
        return function(operand)

    return run


def _binary(name: str) -> Callable[..., Any]:
    """Compute a function of two arrays, as :func:`_unary` does of one."""
    function, is_steady = _OPERATIONS[name].function, _is_steady(name)

    def run(x1: Operand, x2: Operand, /) -> Any:
        if is_steady or _is_complex(x1) or _is_complex(x2):
            return steady.evaluate(function, x1, x2)
        return function(x1, x2)

    return run


def _rule(name: str) -> Rule:
    function, counts, formula = _OPERATIONS[name]
    two = function.nin == 2  # type: ignore[attr-defined]  # noqa: PLR2004
    price = f"{in_words(counts)} per element of the result" + (f", {formula}" if formula else "")
    if name == "pow":
        price += (
            "; for a Python integer n ≥ 0 the multiplications of repeated squaring: ⌊log2 n⌋ + (ones in "
            "binary n) - 1, none for n ≤ 1"
        )
    source = COUNTED if formula else DEFINITION
    if name in FORMULAS:
        price += f"; complex: {in_words(FORMULAS[name].counts)}, {FORMULAS[name].text}"
        source = f"{DEFINITION}; complex: {COUNTED}"
    return Rule(
        name,
        run=(_binary if two else _unary)(name),
        plan=functools.partial(_plan, name),
        price=price,
        example=f"xp.{name}({'x1, x2' if two else 'x'})",
        source=source,
    )


def _clip(x: Array, /, min: OperandOrNone = None, max: OperandOrNone = None) -> Any:  # noqa: A002 - the standard's names
    return x.copy() if min is None and max is None else np.clip(x, min, max)


def _clip_plan(x: Any, /, min: Any = None, max: Any = None) -> Plan:  # noqa: A002
    bounds = [bound for bound in (min, max) if bound is not None]
    elements = _elements(x, *bounds)
    common = common_dtype(x, *bounds)
    refuse_complex("clip", common)
    if common == np.bool_:
        raise TypeError("clip: expected numbers, got booleans; use xp.logical_and or xp.logical_or")
    return Plan(spread({"cmp": len(bounds)}, common, elements), elements * common.itemsize)


def _where(condition: Array, x1: Operand, x2: Operand, /) -> Any:
    return np.where(condition, x1, x2)


def _where_plan(condition: Any, x1: Any, x2: Any, /) -> Plan:
    if condition.dtype != np.bool_:
        raise TypeError(f"where: expected a boolean condition, got {condition.dtype}; compare first")
    elements, common = _elements(condition, x1, x2), common_dtype(x1, x2)
    # Charged whatever the condition: a choice by a constant should be written as a slice.
    return Plan(selections(common, elements), elements * common.itemsize)


RULES: tuple[Rule, ...] = (
    *map(_rule, sorted(_OPERATIONS)),
    Rule("clip", _clip, _clip_plan, "1 comparison per element and bound", "xp.clip(x, 0.0, 1.0)"),
    Rule("where", _where, _where_plan, "1 selection per element of the result", "xp.where(x > 0.0, x, y)"),
    *complexes.RULES,
)
"""The element-wise rules."""
