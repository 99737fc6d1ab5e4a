"""The agreement of two runs of a cell on different machines: which columns, and to how many digits.

Counts are integers, and agree to the last digit everywhere. A BLAS adds in an order that depends on its
version and on the processor; so models, and with them errors and qualities, agree to a relative 1e-9 if only
rounding differs. A submission that trains a network by gradient descent over many steps amplifies rounding,
and may differ by far more: docs/trust.md has the figures.
"""

from __future__ import annotations

from sparsebench.results.columns import OUTCOME

__all__ = ["NEAR_ZERO", "RELATIVE", "ROUNDED", "agree"]

RELATIVE = 1e-9
"""By how much of the larger one two figures may differ that went through a BLAS or a logarithm."""

NEAR_ZERO = 1e-12
"""By how much they may differ in any case: near 0 a relative difference says nothing."""

ROUNDED = (OUTCOME - {"quality_fresh"}) | {"expert_entropy", "nmi"}
"""Columns that agree to :data:`RELATIVE` on another machine. Among the counts these are the ones computed
with logarithms; ``quality_fresh`` is of other inputs in every run, except in runs with one ``fresh_seed``."""


def agree(first: float | None, second: float | None) -> bool:
    """Return whether two figures differ by no more than rounding. None agrees only with None."""
    if first is None or second is None:
        return first is second
    return abs(first - second) <= max(NEAR_ZERO, RELATIVE * max(abs(first), abs(second)))
