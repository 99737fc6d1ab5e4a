"""The ledger that counts: an input's cost is its cost alone.

(A) If the sampled inputs, run alone, all have the same ledger v, and every batch has its number of rows times
v, entry by entry, then the cost is v: exact, and the same in every run. (B) Otherwise inputs are metered one
by one, all of them or, for a large split, a sample, and their mean is the cost.

What a submission could do if it distinguishes the passes, and why it gains nothing:

- To be cheap alone and expensive in batches (with better answers there, or the same): batches that cost more
than their rows alone make the row invalid.
- To be cheap in batches and expensive alone: the cost of inputs alone counts.
- To move work from one batch to another, or from one kind of operation to another of the same price:
  ledgers are compared entry by entry and batch by batch, never by their sums.
- To let a batch run out of memory, so that it is tried again: its charges are part of the cost of batches
(:attr:`sparsebench.evaluate.passes.passes.Pass.ops`). A cell with such charges is never (A): they belong to
no row, so the cost of batches is no longer rows times v. That applies to an honest submission too; it may get
more memory, and the retry never adds to its cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.meter import Entry, Ledger, price
from sparsebench.results import dearer
from sparsebench.scoring import STANDARD_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.evaluate.passes.passes import Pass, Single

__all__ = ["Beside", "Cost", "cost_alone", "cost_of_batches", "is_one_cost", "too_dear", "whole_too_dear"]


class Beside(NamedTuple):
    """A pass in batches over inputs that were also run one by one."""

    batched: Pass
    """The pass."""
    places: np.ndarray[Any, Any]
    """The place of each row of it among the inputs that were run one by one."""


@dataclass(frozen=True)
class Cost:
    """The cost of inputs."""

    single: Single
    """The inputs that were run one by one."""
    ledger: Ledger
    """The ledger that counts."""
    inputs: int
    """Inputs that it is of."""
    counted: str
    """The rule that gave it: ``batch`` (A) or ``one-by-one`` (B)."""
    ops_batch: float
    """Operations per input that the same inputs took in batches."""
    coupled: bool
    """Whether a batch cost other than its rows alone."""

    @property
    def ops(self) -> float:
        """Operations per input, profile ``ops``."""
        return price(self.ledger) / self.inputs


def is_one_cost(single: Single, passes: Iterable[Pass]) -> bool:
    """Return whether all inputs have one ledger: those that were run alone, and the rows of all batches.

    The loads of an input are not in the ledger, and cannot be seen in a batch. If sampled inputs differ in
    them, their mean would be different for every draw: that is not one cost either.
    """
    if len(single.ledgers) != 1 or any(
        np.ptp(read) for read in (single.loaded_parameters, single.loaded_bytes)
    ):
        return False
    (each,) = single.ledgers
    return all(
        not tuple(batched.wasted)
        and all(tuple(batch.ledger) == _times(each, len(batch.rows)) for batch in batched.batches)
        for batched in passes
    )


def _times(entries: tuple[Entry, ...], rows: int) -> tuple[Entry, ...]:
    return tuple(Entry(phase, kind, dtype, amount * rows) for phase, kind, dtype, amount in entries)


def cost_of_batches(whole: Pass, single: Single) -> Cost:
    """Return the cost of inputs that all have one ledger (A)."""
    inputs = len(whole.predictions)
    return Cost(single, whole.ledger, inputs, "batch", price(whole.ledger) / inputs, coupled=False)


def cost_alone(single: Single, same: Pass, passes: Sequence[Beside]) -> Cost:
    """Return the cost of inputs that were run one by one (B).

    Parameters
    ----------
    single
        The inputs that were run one by one.
    same
        The same inputs in batches.
    passes
        All passes in batches whose inputs were also run one by one.
    """
    coupled = any(
        batch.ledger != single.ledger_of(places[batch.rows])
        for batched, places in passes
        for batch in batched.batches
    )
    return Cost(single, single.ledger, len(single), "one-by-one", same.ops / len(single), coupled)


def too_dear(single: Single, passes: Iterable[Beside]) -> str:
    """Return which pass in batches cost more than its inputs alone; empty if none did.

    Parameters
    ----------
    single
        The inputs that were run one by one.
    passes
        Passes over such inputs.
    """
    prices = single.prices["ops"]
    for batched, places in passes:
        alone = int(prices[places].sum()) / len(places)
        if dearer(batched.ops / len(places), alone):
            return _told(batched, len(places), alone)
    return ""


def whole_too_dear(single: Single, whole: Pass) -> str:
    """Return whether a whole split cost more in batches than its sample that was run one by one suggests.

    More means beyond the tolerance of batches plus four standard errors of the sample's mean. If all inputs
    were run one by one, this is a weaker test than :func:`too_dear`.
    """
    prices = single.prices["ops"].astype(np.float64)
    alone, inputs = float(prices.mean()), len(whole.predictions)
    chance = STANDARD_ERRORS * float(prices.std()) / math.sqrt(len(prices))
    return _told(whole, inputs, alone) if dearer(whole.ops / inputs - chance, alone) else ""


def _told(batched: Pass, inputs: int, alone: float) -> str:
    told = f"batches cost {batched.ops / inputs:.6g} operations per input, the same inputs alone {alone:.6g}"
    wasted = price(batched.wasted) / inputs
    return f"{told}; {wasted:.6g} of them in batches that ran out of memory" if wasted else told
