"""The records in the lists of a row."""

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
    """The number that was executed."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a histogram of operations per input."""

    log2_ops: int
    """b: from 2^b up to, and not with, 2^(b + 1) operations. Fewer than 1 count as 1, as in scores."""
    inputs: int
    """The number of inputs with this cost."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The number of uses of an expert for a domain."""

    expert: int
    """Number of the expert."""
    domain: int
    """Number of the domain: what the column ``tag`` has of its inputs."""
    inputs: int
    """The number of places in the routes of the domain's inputs that name the expert."""
