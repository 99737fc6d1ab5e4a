"""The ledger: the meter's counts, as integers by (phase, kind, dtype)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sparsebench.ops.charges import Charge

__all__ = ["PHASES", "Entry", "Ledger"]

PHASES = ("router", "experts")
"""Who caused an operation. A submission without a router is one expert that always runs."""


class Entry(NamedTuple):
    """One line of a ledger."""

    phase: str
    """One of :data:`PHASES`."""
    kind: str
    """One of :data:`sparsebench.ops.charges.KINDS`."""
    dtype: str
    """Name of the operands' dtype."""
    amount: int
    """Scalar operations; for the kind ``load``, elements."""


class Ledger:
    """Integer counts by (phase, kind, dtype). Counts only ever grow; two ledgers add up."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()
        for phase, kind, dtype, amount in entries:
            self._counts[phase, kind, dtype] += amount

    def charge(self, phase: str, charges: Iterable[Charge]) -> None:
        """Add charges to a phase."""
        for kind, dtype, amount in charges:
            if amount:
                self._counts[phase, kind, dtype] += amount

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries in a fixed order."""
        return (Entry(*key, self._counts[key]) for key in sorted(self._counts))

    def add(self, other: Ledger) -> None:
        """Add another ledger's counts to this one's."""
        self._counts.update(other._counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ledger) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # a ledger grows, so it has no hash

    def __repr__(self) -> str:
        return f"Ledger({list(self)!r})"

    def count(self, kind: str) -> int:
        """Sum one kind over phases and dtypes."""
        return sum(entry.amount for entry in self if entry.kind == kind)
