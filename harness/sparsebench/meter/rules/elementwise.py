"""Element-wise operations."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule, common_dtype, shape_of
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
_WIDEST = 8  # bytes of the widest dtype that an element-wise result can have


def _plan(kind: str, each: int, *operands: Any) -> Plan:
    elements = math.prod(np.broadcast_shapes(*map(shape_of, operands)))
    charge = Charge(kind, common_dtype(*operands).name, each * elements)
    return Plan((charge,), elements * _WIDEST)


def _rule(name: str) -> Rule:
    function, kind, each = _TABLE[name]
    operands = "x1, x2" if function.nin == 2 else "x"  # type: ignore[attr-defined]  # noqa: PLR2004
    return Rule(
        name,
        run=function,
        plan=functools.partial(_plan, kind, each),
        price=f"{each} {_WORDS[kind]}{'s' if each > 1 else ''} per element of the result",
        example=f"xp.{name}({operands})",
    )


def _clip(x: Any, /, min: Any = None, max: Any = None) -> Any:  # noqa: A002 - the standard's names
    return np.clip(x, min, max)


def _clip_plan(x: Any, /, min: Any = None, max: Any = None) -> Plan:  # noqa: A002
    bounds = [bound for bound in (min, max) if bound is not None]
    return _plan("cmp", len(bounds), x, *bounds)


def _where(condition: Any, x1: Any, x2: Any, /) -> Any:
    if condition.dtype != np.bool_:
        raise TypeError(f"where: expected a boolean condition, got {condition.dtype}; compare first")
    return np.where(condition, x1, x2)


def _where_plan(*operands: Any) -> Plan:
    return Plan(FREE, math.prod(np.broadcast_shapes(*map(shape_of, operands))) * _WIDEST)


RULES: tuple[Rule, ...] = (
    *map(_rule, _TABLE),
    Rule("clip", _clip, _clip_plan, "1 comparison per element and bound", "xp.clip(x, 0.0, 1.0)"),
    Rule("where", _where, _where_plan, "0: the condition was paid for", "xp.where(x > 0.0, x, y)"),
)
"""The element-wise rules."""
