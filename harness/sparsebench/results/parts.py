"""The records that a row holds lists of."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Audit", "Bin", "Count", "Pair"]


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


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a histogram of operations per input."""

    log2_ops: int
    """b: from 2^b up to, and not with, 2^(b + 1) operations. Fewer than 1 count as 1, as in scores."""
    inputs: int
    """How many inputs cost so much."""


@dataclass(frozen=True, slots=True)
class Pair:
    """How often an expert was used for a domain."""

    expert: int
    """Number of the expert."""
    domain: int
    """Number of the domain: what the column ``tag`` has of its inputs."""
    inputs: int
    """How many places of routes of the domain's inputs name the expert."""
