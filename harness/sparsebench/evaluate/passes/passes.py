"""The models that are metered, and the results of metered passes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from sparsebench.meter import Entry, Ledger, price

if TYPE_CHECKING:
    from sparsebench.meter import Description, Engine, Handle

__all__ = ["FIRST_ROWS", "Batch", "Charged", "Model", "Pass", "Single"]

FIRST_ROWS = 32
"""Rows of the first batch, which shows how many bytes a row takes."""


class Model(Protocol):
    """A fitted submission whose predictions can be metered: in another process, or in this one."""

    @property
    def routed(self) -> bool:
        """Whether it is called in two parts."""
        ...

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict; ``tag``, the domain, is given if the submission uses domains."""
        ...

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Return experts and gates; ``tag``, the domain, is given if the submission uses domains."""
        ...

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts."""
        ...


@dataclass
class Batch:
    """One batch of a pass, as it was run."""

    rows: np.ndarray[Any, Any]
    """Which rows, in their order."""
    predictions: np.ndarray[Any, Any]
    """Their predictions."""
    ledger: Ledger
    """What was counted."""


class Charged(NamedTuple):
    """The cost of one batch of a pass."""

    rows: np.ndarray[Any, Any]
    """Which rows."""
    ledger: Ledger
    """What was counted."""


@dataclass
class Pass:
    """The results of a pass in batches."""

    ledger: Ledger = field(default_factory=Ledger)
    """All counts except those in ``wasted``."""
    wasted: Ledger = field(default_factory=Ledger)
    """What was counted for batches that ran out of memory, and were tried again with fewer rows."""
    batches: list[Charged] = field(default_factory=list)
    """What each batch cost: together they make ``ledger``."""
    predictions: np.ndarray[Any, Any] = field(default_factory=lambda: np.empty(0))
    """One per row, in the order of the rows that were given."""
    load: Counter[int] = field(default_factory=Counter)
    """How often every expert was chosen; empty without a router."""
    joint: Counter[tuple[int, int]] = field(default_factory=Counter)
    """(expert, domain) -> how often an input of it was routed there; empty without domains or a router."""
    distinct: int = 0
    """Different experts of a row, summed over rows."""
    lowest: np.ndarray[Any, Any] | None = None
    """The lowest expert in each of the k places of a row; None without a router."""
    highest: np.ndarray[Any, Any] | None = None
    """The highest one."""
    widths: set[int | None] = field(default_factory=set)
    """How many experts the rows of a batch had; None without a router."""
    rows: int = FIRST_ROWS
    """Rows of the largest batch."""
    total: Counter[str] = field(default_factory=Counter)
    """Everything counted, a second time: kind -> amount, as the engine adds it up without phases."""
    first: Batch | None = None
    """The first batch."""

    @property
    def ops(self) -> int:
        """Operations, profile ``ops``, of all work: it is not free because its batch failed."""
        return price(self.ledger) + price(self.wasted)


@dataclass
class Single:
    """The results of one-by-one runs, a value per input."""

    ledger: Ledger
    """Everything counted."""
    predictions: np.ndarray[Any, Any]
    """One per row."""
    prices: dict[str, np.ndarray[Any, Any]]
    """Profile -> price of every input."""
    loaded_parameters: np.ndarray[Any, Any]
    """Distinct parameter elements that every input read."""
    loaded_bytes: np.ndarray[Any, Any]
    """Bytes of those."""
    ledgers: list[tuple[Entry, ...]]
    """The different ledgers that inputs have."""
    which: np.ndarray[Any, Any]
    """The number of every input's ledger among them."""
    total: Counter[str] = field(default_factory=Counter)
    """As in :class:`Pass`."""

    def __len__(self) -> int:
        return len(self.predictions)

    def ledger_of(self, rows: np.ndarray[Any, Any]) -> Ledger:
        """Return the sum of the ledgers of some inputs, each as often as it is named."""
        often = np.bincount(self.which[rows], minlength=len(self.ledgers)).tolist()
        return Ledger(
            Entry(phase, kind, dtype, amount * times)
            for entries, times in zip(self.ledgers, often, strict=True)
            if times
            for phase, kind, dtype, amount in entries
        )

    def followed_by(self, other: Single) -> Single:
        """Return these results followed by those of another pass."""
        ledger = Ledger(self.ledger)
        ledger.add(other.ledger)
        ledgers = list(dict.fromkeys([*self.ledgers, *other.ledgers]))
        numbers = {entries: number for number, entries in enumerate(ledgers)}
        renumbered = np.array([numbers[entries] for entries in other.ledgers], dtype=np.int64)
        return Single(
            ledger=ledger,
            predictions=np.concatenate([self.predictions, other.predictions]),
            prices={name: np.concatenate([mine, other.prices[name]]) for name, mine in self.prices.items()},
            loaded_parameters=np.concatenate([self.loaded_parameters, other.loaded_parameters]),
            loaded_bytes=np.concatenate([self.loaded_bytes, other.loaded_bytes]),
            ledgers=ledgers,
            which=np.concatenate([self.which, renumbered[other.which]]),
            total=self.total + other.total,
        )
