"""The rule table: every operation that the meter executes, with its price, and every one that it refuses.

One table drives everything: the engine, the client namespace, the page of prices and the refusals.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from sparsebench.meter.rules import elementwise, indexing, linear, reductions, shaping
from sparsebench.meter.rules.base import Plan, Rule
from sparsebench.ops import PRIMITIVES

if TYPE_CHECKING:
    from sparsebench.ops import Primitive

__all__ = ["GROUPS", "REFUSED", "RULES", "Plan", "Rule"]

_WIDEST = 8  # bytes of the widest element of a primitive's result


def _primitive_plan(operation: Primitive, *args: Any, **kwargs: Any) -> Plan:
    return Plan(operation.cost(*args, **kwargs), operation.elements(*args, **kwargs) * _WIDEST)


def _primitive_rule(operation: Primitive) -> Rule:
    return Rule(
        operation.name,
        run=operation.cpu,
        plan=functools.partial(_primitive_plan, operation),
        price=operation.price,
        example=f"ops.{operation.name}(...)",
        touched=operation.touched,
        hidden=True,
    )


GROUPS: dict[str, tuple[Rule, ...]] = {
    "Element by element": elementwise.RULES,
    "Along axes": reductions.RULES,
    "Products": linear.RULES,
    "Indexing and casting": indexing.RULES,
    "Shapes and constants": shaping.RULES,
    "Primitives (`sparsebench.ops`)": tuple(map(_primitive_rule, PRIMITIVES.values())),
}
"""The rules by topic, for the documentation."""

RULES: dict[str, Rule] = {rule.name: rule for group in GROUPS.values() for rule in group}
"""Every rule by name."""

_BITS = "it would give unboundedly many free bits about a real number"
REFUSED: dict[str, tuple[str, str]] = {
    "astype-integer": (_BITS, "use ops.quantize(x, levels=m)"),
    "ceil": (_BITS, "use ops.quantize(x, levels=m)"),
    "floor": (_BITS, "use ops.quantize(x, levels=m)"),
    "floor_divide": (_BITS, "use ops.quantize(x, levels=m)"),
    "remainder": (_BITS, "use ops.quantize(x, levels=m)"),
    "round": (_BITS, "use ops.quantize(x, levels=m)"),
    "trunc": (_BITS, "use ops.quantize(x, levels=m)"),
}
"""Operations that are refused on purpose: name -> (reason, what to use instead)."""
