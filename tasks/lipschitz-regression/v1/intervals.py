"""Intervals for a value and its gradient at once: what a bound on a function's steepness is computed with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]

MARGIN = 1e-12
"""Part of its largest entry by which computed values are widened: a thousand times their rounding."""


@dataclass(frozen=True)
class Enclosure:
    """Bounds of a function of d variables over a box: entry 0 its value, entries 1 to d its derivatives.

    Sums and products enclose those of the functions (Moore, Interval Analysis, 1966): every operation's
    ends are rounded outward, so the bounds hold in exact arithmetic.
    """

    low: Float64
    """Lower ends, ``(d + 1,)``."""
    high: Float64
    """Upper ends, ``(d + 1,)``."""

    def __add__(self, other: Enclosure) -> Enclosure:
        """Enclose the sum."""
        return Enclosure(*_outward(self.low + other.low, self.high + other.high))

    def __mul__(self, other: Enclosure) -> Enclosure:
        """Enclose the product; its derivatives by the rule of Leibniz, f g' + g f'."""
        first, second = _scaled(self, other), _scaled(other, self)
        low, high = _outward(first.low + second.low, first.high + second.high)
        low[0], high[0] = first.low[0], first.high[0]  # the value is one product, the derivatives two
        return Enclosure(low, high)

    def __rmul__(self, weight: float) -> Enclosure:
        """Enclose a multiple."""
        ends = np.stack([weight * self.low, weight * self.high])
        return Enclosure(*_outward(ends.min(axis=0), ends.max(axis=0)))

    def steepness(self) -> float:
        """Bound the length of the gradient over the box."""
        return math.sqrt(math.fsum(np.square(np.maximum(-self.low, self.high)[1:]).tolist()))


def enclosing(corners: Float64) -> Enclosure:
    """Enclose what is extreme at corners of a box, from its entries there, ``(d + 1, corners)``."""
    margin = MARGIN * np.abs(corners).max()
    return Enclosure(corners.min(axis=1) - margin, corners.max(axis=1) + margin)


def _outward(low: Float64, high: Float64) -> tuple[Float64, Float64]:
    """Widen by one float64 on either side, which covers the rounding of one operation."""
    return np.nextafter(low, -np.inf), np.nextafter(high, np.inf)


def _scaled(factor: Enclosure, by: Enclosure) -> Enclosure:
    """Multiply the value of one with every entry of another."""
    ends = np.stack([end * entry for end in (factor.low[0], factor.high[0]) for entry in (by.low, by.high)])
    return Enclosure(*_outward(ends.min(axis=0), ends.max(axis=0)))
