"""The rule table: every operation that the meter executes, with its price, and every one that it refuses.

One table defines everything: the engine, the client namespace, the page of prices and the refusals.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from sparsebench.meter.rules import (
    casting,
    creation,
    elementwise,
    fft,
    gathering,
    indexing,
    joining,
    linalg,
    linear,
    reductions,
    sets,
    shaping,
    sorting,
    statistics,
)
from sparsebench.meter.rules.arguments import check_arguments, kinds_of, typed
from sparsebench.meter.rules.base import FREE_BITS, QUANTIZE, WIDEST, Arguments, Plan, Rule
from sparsebench.ops import PRIMITIVES

if TYPE_CHECKING:
    from sparsebench.ops import Primitive
    from sparsebench.ops.core.call import Call

__all__ = ["GROUPS", "REFUSED", "RULES", "Arguments", "Plan", "Rule", "check_arguments", "typed"]


def _plan(operation: Primitive, call: Call) -> Plan:
    return Plan(operation.charges(call), operation.size(call) * WIDEST)


def _primitive_rule(operation: Primitive) -> Rule:
    return Rule(
        operation.name,
        run=operation.run_steadily,
        plan=functools.partial(_plan, operation),
        price=operation.price,
        example=operation.example,
        source=operation.source,
        touched=operation.reads,
        moves=True,
        hidden=True,
        definition=operation.definition,
        parse=operation.parser.parse,
        kinds={name: told.kind for name, told in operation.parser.arguments.items()},
    )


GROUPS: dict[str, tuple[Rule, ...]] = {
    "Element by element": elementwise.RULES,
    "Along axes": reductions.RULES + statistics.RULES + sorting.RULES,
    "Sets": sets.RULES,
    "Products": linear.RULES,
    "Linear algebra (`xp.linalg`)": linalg.RULES,
    "Fourier transforms (`xp.fft`)": fft.RULES,
    "Indexing and casting": indexing.RULES + gathering.RULES + casting.RULES,
    "Shapes and constants": shaping.RULES + joining.RULES + creation.RULES,
    "Primitives (`sparsebench.ops`)": tuple(map(_primitive_rule, PRIMITIVES.values())),
}
"""The rules by topic, for the documentation."""

RULES: dict[str, Rule] = {rule.name: rule for group in GROUPS.values() for rule in group}
"""Every rule by name."""

for _rule in RULES.values():
    kinds_of(_rule)  # a parameter without a kind raises an error here, not in a call

_DIVISION = "it would make integers of numbers without a charge"
REFUSED: dict[str, tuple[str, str]] = {
    "astype-integer": (FREE_BITS, QUANTIZE),
    "ceil": (FREE_BITS, QUANTIZE),
    "floor": (FREE_BITS, QUANTIZE),
    "floor_divide": (_DIVISION, f"{QUANTIZE}; for integers x >> n"),
    "remainder": (_DIVISION, f"{QUANTIZE}; for integers x & (2**n - 1)"),
    "round": (FREE_BITS, QUANTIZE),
    "trunc": (FREE_BITS, QUANTIZE),
    **linalg.REFUSED,
}
"""Operations that are refused on purpose: name -> (reason, what to use instead)."""
