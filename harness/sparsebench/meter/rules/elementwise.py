"""Element-wise operations."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.base import FREE, WIDEST, Plan, Rule, common_dtype, shape_of
from sparsebench.meter.values import DTYPES
from sparsebench.ops import steady
from sparsebench.ops.charges import Charge

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES"]

# name -> (NumPy function, kind, operations per element)
_TABLE: dict[str, tuple[Callable[..., Any], str, int]] = {
    "abs": (np.abs, "cmp", 1),
    "acos": (np.arccos, "special", 1),
    "acosh": (np.arccosh, "special", 1),
    "add": (np.add, "add", 1),
    "asin": (np.arcsin, "special", 1),
    "asinh": (np.arcsinh, "special", 1),
    "atan": (np.arctan, "special", 1),
    "atan2": (np.arctan2, "special", 1),
    "atanh": (np.arctanh, "special", 1),
    "bitwise_and": (np.bitwise_and, "logic", 1),
    "bitwise_invert": (np.bitwise_invert, "logic", 1),
    "bitwise_left_shift": (np.bitwise_left_shift, "logic", 1),
    "bitwise_or": (np.bitwise_or, "logic", 1),
    "bitwise_right_shift": (np.bitwise_right_shift, "logic", 1),
    "bitwise_xor": (np.bitwise_xor, "logic", 1),
    "cos": (np.cos, "special", 1),
    "cosh": (np.cosh, "special", 1),
    "divide": (np.divide, "div", 1),
    "equal": (np.equal, "cmp", 1),
    "exp": (np.exp, "special", 1),
    "expm1": (np.expm1, "special", 1),
    "greater": (np.greater, "cmp", 1),
    "greater_equal": (np.greater_equal, "cmp", 1),
    "isfinite": (np.isfinite, "cmp", 1),
    "isinf": (np.isinf, "cmp", 1),
    "isnan": (np.isnan, "cmp", 1),
    "less": (np.less, "cmp", 1),
    "less_equal": (np.less_equal, "cmp", 1),
    "log": (np.log, "special", 1),
    "log10": (np.log10, "special", 1),
    "log1p": (np.log1p, "special", 1),
    "log2": (np.log2, "special", 1),
    "logical_and": (np.logical_and, "logic", 1),
    "logical_not": (np.logical_not, "logic", 1),
    "logical_or": (np.logical_or, "logic", 1),
    "logical_xor": (np.logical_xor, "logic", 1),
    "maximum": (np.maximum, "cmp", 1),
    "minimum": (np.minimum, "cmp", 1),
    "multiply": (np.multiply, "mul", 1),
    "negative": (np.negative, "add", 1),
    "not_equal": (np.not_equal, "cmp", 1),
    "pow": (np.power, "special", 1),
    "reciprocal": (np.reciprocal, "div", 1),
    "sign": (np.sign, "cmp", 2),
    "sin": (np.sin, "special", 1),
    "sinh": (np.sinh, "special", 1),
    "sqrt": (np.sqrt, "sqrt", 1),
    "square": (np.square, "mul", 1),
    "subtract": (np.subtract, "add", 1),
    "tan": (np.tan, "special", 1),
    "tanh": (np.tanh, "special", 1),
}

_WORDS = {"cmp": "comparison", "add": "addition", "mul": "multiplication", "div": "division"}
_WORDS |= {"logic": "logical operation", "sqrt": "square root", "special": "function evaluation"}


def _elements(*operands: Any) -> int:
    return math.prod(np.broadcast_shapes(*map(shape_of, operands)))


def _plan(name: str, *operands: Any) -> Plan:
    function, kind, each = _TABLE[name]
    _check_dtypes(name, function, operands)
    charge = Charge(kind, common_dtype(*operands).name, each * _elements(*operands))
    return Plan((charge,), _elements(*operands) * WIDEST)


def _check_dtypes(name: str, function: Any, operands: tuple[Any, ...]) -> None:
    """Refuse dtypes that the operation does not take, before it runs."""
    given = tuple(_dtype_or_type(operand) for operand in operands)
    if name.startswith("logical_") and any(dtype != np.bool_ for dtype in given):
        raise TypeError(f"{name}: expected booleans; compare first, e.g. x != 0")
    if name == "reciprocal" and given[0] is not float and given[0].kind != "f":
        raise TypeError(f"{name}: expected a real array; use 1.0 / x")
    result = function.resolve_dtypes((*given, None))[-1]
    if result.name not in DTYPES:
        raise TypeError(f"{name}: the result would be {result}; cast to float32 or float64 first")


def _dtype_or_type(operand: Any) -> Any:
    """Give what NumPy's promotion looks at: an array's dtype, a Python number's type."""
    if isinstance(operand, bool):
        return np.dtype(np.bool_)
    return operand.dtype if isinstance(operand, np.ndarray) else type(operand)


def _unary(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(operand: Any, /) -> Any:
        return function(operand)

    return run


def _binary(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(x1: Any, x2: Any, /) -> Any:
        return function(x1, x2)

    return run


def _rule(name: str) -> Rule:
    function, kind, each = _TABLE[name]
    two = function.nin == 2  # type: ignore[attr-defined]  # noqa: PLR2004
    executed = functools.partial(steady.evaluate, function) if kind == "special" else function
    return Rule(
        name,
        run=(_binary if two else _unary)(executed),
        plan=functools.partial(_plan, name),
        price=f"{each} {_WORDS[kind]}{'s' if each > 1 else ''} per element of the result",
        example=f"xp.{name}({'x1, x2' if two else 'x'})",
    )


def _clip(x: Any, /, min: Any = None, max: Any = None) -> Any:  # noqa: A002 - the standard's names
    return x.copy() if min is None and max is None else np.clip(x, min, max)


def _clip_plan(x: Any, /, min: Any = None, max: Any = None) -> Plan:  # noqa: A002
    bounds = [bound for bound in (min, max) if bound is not None]
    elements = _elements(x, *bounds)
    charge = Charge("cmp", common_dtype(x, *bounds).name, len(bounds) * elements)
    return Plan((charge,), elements * WIDEST)


def _where(condition: Any, x1: Any, x2: Any, /) -> Any:
    return np.where(condition, x1, x2)


def _where_plan(condition: Any, x1: Any, x2: Any, /) -> Plan:
    if condition.dtype != np.bool_:
        raise TypeError(f"where: expected a boolean condition, got {condition.dtype}; compare first")
    return Plan(FREE, _elements(condition, x1, x2) * WIDEST)


RULES: tuple[Rule, ...] = (
    *map(_rule, _TABLE),
    Rule("clip", _clip, _clip_plan, "1 comparison per element and bound", "xp.clip(x, 0.0, 1.0)"),
    Rule("where", _where, _where_plan, "0: the condition was paid for", "xp.where(x > 0.0, x, y)"),
)
"""The element-wise rules."""
