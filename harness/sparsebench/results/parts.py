"""The records that a row holds lists of."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Audit", "Count"]


@dataclass(frozen=True, slots=True)
class Audit:
    """One check that the harness made on a cell."""

    name: str
    """What was checked."""
    verdict: str
    """``"pass"``, ``"fail"`` or ``"not-run"``."""
    detail: str
    """One line for people; empty where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Count:
    """One entry of the raw ledger, summed over ``counted_inputs`` inputs."""

    phase: str
    """``router``, ``experts`` or another label of the ledger."""
    kind: str
    """Kind of operation, as in the cost model."""
    dtype: str
    """Dtype of the operands."""
    count: int
    """How many were executed."""
