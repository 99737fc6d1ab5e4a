"""The rule table: every operation that the meter executes, with its price, and every one that it refuses.

One table drives everything: the engine, the client namespace, the page of prices and the refusals.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

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
from sparsebench.meter.rules.arguments import check_arguments, typed
from sparsebench.meter.rules.base import FREE_BITS, QUANTIZE, WIDEST, Plan, Rule
from sparsebench.ops import PRIMITIVES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops import Primitive

__all__ = ["GROUPS", "REFUSED", "RULES", "Plan", "Rule", "check_arguments", "typed"]


def _primitive_plan(operation: Primitive, *args: Any, **kwargs: Any) -> Plan:
    return Plan(operation.cost(*args, **kwargs), operation.elements(*args, **kwargs) * WIDEST)


def _steady(operation: Primitive) -> Callable[..., Any]:
    """Give its steady face, under the name and with the signature that rules are checked by."""

    @functools.wraps(operation.steady)
    def run(*args: Any, **kwargs: Any) -> Any:
        return operation.on_numpy_steadily(*args, **kwargs)

    return run


def _primitive_rule(operation: Primitive) -> Rule:
    return Rule(
        operation.name,
        run=_steady(operation),
        plan=functools.partial(_primitive_plan, operation),
        price=operation.price,
        example=operation.example,
        source=operation.source,
        touched=operation.touched,
        moves=True,
        hidden=True,
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
