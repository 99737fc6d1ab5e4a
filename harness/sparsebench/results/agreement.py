"""What two runs of a cell on different machines agree in, and to how many digits.

Counts are integers, and agree to the last digit everywhere. A BLAS adds in an order of its own, which hangs
on its version and on the processor; so models, and with them errors and qualities, agree to a relative 1e-9
where rounding is all that differs. A submission that trains a network by gradient descent over many steps
amplifies rounding, and may differ by far more: docs/trust.md has the figures.
"""

from __future__ import annotations

from sparsebench.results.columns import OUTCOME

__all__ = ["NEAR_ZERO", "RELATIVE", "ROUNDED", "agree"]

RELATIVE = 1e-9
"""By how much of the larger one two figures may differ that went through a BLAS or a logarithm."""

NEAR_ZERO = 1e-12
"""By how much they may differ in any case: near 0 a relative difference says nothing."""

ROUNDED = (OUTCOME - {"quality_fresh"}) | {"expert_entropy", "nmi"}
"""Columns that agree to :data:`RELATIVE` on another machine. Of the counts these are those that logarithms
were taken for; ``quality_fresh`` is of other inputs in every run, but for runs with one ``fresh_seed``."""


def agree(first: float | None, second: float | None) -> bool:
    """Say whether two figures differ by no more than rounding. None agrees with None alone."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= max(NEAR_ZERO, RELATIVE * max(abs(first), abs(second)))
