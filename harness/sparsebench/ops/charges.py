"""What an operation is charged: amounts of the *kinds* that the ledger keeps apart.

Kinds are raw counts. What a kind costs is a question of the price list (:mod:`sparsebench.meter.prices`),
so that other lists can be applied to stored rows without running anything again.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

__all__ = ["KINDS", "Charge", "bits_to_choose", "inner_product", "name_of"]

KINDS: dict[str, str] = {
    "add": "additions, subtractions and negations",
    "mul": "multiplications",
    "cmp": "comparisons, minima, maxima and absolute values",
    "logic": "bitwise and logical operations",
    "div": "divisions",
    "sqrt": "square roots",
    "special": "exponentials, logarithms, powers, trigonometric and hyperbolic functions, erf",
    "lookup": "table look-ups at a computed address, whatever the width of the row",
    "branch": "bits that left the meter to steer Python's `if`, `while` or a shape",
    "mac": "multiply-accumulates inside matrix products (also counted as `mul` and `add`)",
    "load": "elements read by look-ups",
}
"""Every kind of count and what it counts."""


class Charge(NamedTuple):
    """An amount of one kind of operation on one dtype."""

    kind: str
    """One of :data:`KINDS`."""
    dtype: str
    """Name of the operands' dtype, e.g. ``float32``."""
    amount: int
    """How many scalar operations (for ``load``: elements)."""


@functools.cache
def name_of(dtype: np.dtype[Any]) -> str:
    """Name a dtype. NumPy puts the name together anew each time, which takes longer than a small addition."""
    return dtype.name


def bits_to_choose(options: int) -> int:
    """Comparisons needed to choose one of ``options``: ``ceil(log2(options))``, 0 for one or none."""
    return max(options - 1, 0).bit_length()


def inner_product(outputs: int, length: int, dtype: np.dtype[Any]) -> tuple[Charge, ...]:
    """Charge ``outputs`` inner products of ``length`` terms: k multiplications and k - 1 additions each."""
    if length == 0:
        return ()
    name = name_of(dtype)
    return (
        Charge("mul", name, outputs * length),
        Charge("add", name, outputs * (length - 1)),
        Charge("mac", name, outputs * length),
    )
