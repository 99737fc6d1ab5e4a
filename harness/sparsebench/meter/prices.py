"""Price lists: from raw counts to one number.

The list ``ops`` is the headline: an active operation is one addition, subtraction, multiplication,
comparison, logical operation, selection or address operation on words of at most 64 bits, or one table
look-up at a computed address. The weights 4 (division, square root) and 8 (functions) are conventions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sparsebench.meter.ledger import Entry

__all__ = ["COST_MODEL", "PROFILES", "WEIGHTS", "price"]

COST_MODEL = 2
"""Version of the prices below; it is stored in every row."""

WEIGHTS: dict[str, int] = {
    "add": 1,
    "mul": 1,
    "cmp": 1,
    "logic": 1,
    "div": 4,
    "sqrt": 4,
    "special": 8,
    "lookup": 1,
    "address": 1,
    "select": 1,
    "branch": 1,
    "mac": 0,
    "load": 0,
}
"""Price of one operation of each kind in the profile ``ops``."""


_NOT_IN_THEORY = frozenset({"lookup", "address", "select", "branch"})
"""Kinds that the count of conditional-computation theory leaves out."""


def _ops(entry: Entry) -> int:
    return WEIGHTS[entry.kind]


def _add_mul_cmp(entry: Entry) -> int:
    return 0 if entry.kind in _NOT_IN_THEORY else WEIGHTS[entry.kind]


def _macs(entry: Entry) -> int:
    return int(entry.kind == "mac")


def _router_free(entry: Entry) -> int:
    return 0 if entry.phase == "router" else WEIGHTS[entry.kind]


def _bit_ops(entry: Entry) -> int:
    """Return the price of b-bit operands: b for an addition, b squared for a multiplication, and so on."""
    bits = 1 if entry.dtype == "bool" else 8 * np.dtype(entry.dtype).itemsize
    quadratic = entry.kind in {"mul", "div", "sqrt", "special"}
    return WEIGHTS[entry.kind] * (bits * bits if quadratic else bits)


PROFILES: dict[str, Callable[[Entry], int]] = {
    "ops": _ops,
    "add-mul-cmp": _add_mul_cmp,
    "macs": _macs,
    "paper-router-free": _router_free,
    "bit-ops": _bit_ops,
}
"""Every standard price list: the price of one operation of an entry."""


def price(entries: Iterable[Entry], profile: str = "ops") -> int:
    """Return the price of a ledger by one of :data:`PROFILES`. It is exact."""
    weight = PROFILES[profile]
    return sum(entry.amount * weight(entry) for entry in entries)
