"""The record of where a submission's operations go."""

from __future__ import annotations

from dataclasses import dataclass

from sparsebench.meter import Ledger, price

__all__ = ["Explanation", "Line"]


@dataclass(frozen=True)
class Line:
    """The operations of one line of a submission in one phase, over all inputs."""

    phase: str
    """``router`` or ``experts``."""
    file: str
    """The file, relative to the submission's folder; empty if none of its lines was found."""
    number: int
    """The line's number."""
    function: str
    """The function that it is in."""
    source: str
    """Its text."""
    called_from: str
    """The outermost line of the submission that led there, as ``file:line``; empty if it is this one."""
    ledger: Ledger
    """Its charges."""
    fixed: Ledger
    """The part of it whose operands are parameters and constants alone."""
    requests: int
    """The number of its requests to the meter."""

    @property
    def place(self) -> str:
        """The line as ``file:line``."""
        return f"{self.file}:{self.number}" if self.file else "(elsewhere)"

    @property
    def ops(self) -> int:
        """Its active operations."""
        return price(self.ledger)


@dataclass(frozen=True)
class Explanation:
    """The operations of a variant on some inputs, line by line."""

    submission: str
    """Name of the submission."""
    variant: str
    """Name of the variant."""
    task: str
    """Task reference."""
    instance: str
    """Name of the instance."""
    seed: int
    """The seed."""
    inputs: int
    """The number of inputs that were counted, each alone."""
    ledger: Ledger
    """Everything counted."""
    lines: tuple[Line, ...]
    """By line, the most expensive first."""
    prices: dict[str, float]
    """Standard list -> price per input."""
    loaded_parameters: float
    """Distinct parameter elements that an input reads, on average."""

    @property
    def ops(self) -> float:
        """Active operations per input: the value of ``ops`` in a row of these inputs."""
        return price(self.ledger) / self.inputs

    @property
    def bits(self) -> float:
        """Bits per input that left the meter, through ``if``, ``while`` and shapes."""
        return self.ledger.count("branch") / self.inputs

    @property
    def loads(self) -> float:
        """Elements per input that look-ups read."""
        return self.ledger.count("load") / self.inputs

    def of_phase(self, phase: str) -> Ledger:
        """Return the charges of one phase."""
        return Ledger(entry for entry in self.ledger if entry.phase == phase)
