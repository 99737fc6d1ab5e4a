"""What an operation is charged: amounts of the *kinds* that the ledger keeps apart.

Kinds are raw counts. What a kind costs is a question of the price list (:mod:`sparsebench.meter.prices`),
so that other lists can be applied to stored rows without running anything again.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np

__all__ = [
    "KINDS",
    "Charge",
    "addressing",
    "bits_to_choose",
    "descent",
    "inner_product",
    "is_wired",
    "lies_in_model",
    "lookups",
    "name_of",
    "numbers_of",
    "places",
    "selections",
    "writes",
]

KINDS: dict[str, str] = {
    "add": "additions, subtractions and negations",
    "mul": "multiplications",
    "cmp": "comparisons, minima, maxima and absolute values",
    "logic": "bitwise and logical operations",
    "div": "divisions",
    "sqrt": "square roots",
    "special": "exponentials, logarithms, powers, trigonometric and hyperbolic functions, erf",
    "lookup": "look-ups at a computed address: of records of the model, and of numbers that were computed",
    "address": "operations that make an address: bits packed, indices joined, steps of a search",
    "select": "selections: numbers chosen by a condition, and places that a mask lies over",
    "branch": "bits that left the meter to steer Python's `if`, `while` or a shape",
    "mac": "multiply-accumulates inside matrix products (also counted as `mul` and `add`)",
    "load": "elements read by look-ups",
}
"""Every kind of count and what it counts."""


class Charge(NamedTuple):
    """An amount of one kind of operation on one dtype."""

    kind: str
    """One of :data:`KINDS`."""
    dtype: str
    """Name of the operands' dtype, e.g. ``float32``."""
    amount: int
    """How many scalar operations (for ``load``: elements)."""


class _Places(threading.local):
    known: Callable[[Any], bool] | None = None


_PLACES = _Places()


@contextlib.contextmanager
def places(known: Callable[[Any], bool]) -> Iterator[None]:
    """Say, while a call is priced, of which of its arrays the memory is the model's.

    Parameters
    ----------
    known
        Tells of an operand whether it is a parameter, a constant that predict made, or a slice of either.
    """
    before, _PLACES.known = _PLACES.known, known
    try:
        yield
    finally:
        _PLACES.known = before


def lies_in_model(table: Any) -> bool:
    """Whether records of a table lie at addresses of the model. Outside the meter every table does."""
    return _PLACES.known is None or _PLACES.known(table)


def is_wired(index: Any) -> bool:
    """Whether no input decides an index or a mask. Outside the meter every index is computed."""
    return _PLACES.known is not None and _PLACES.known(index)


def numbers_of(dtype: np.dtype[Any]) -> int:
    """How many real numbers an element is: moving a complex one moves two."""
    return 2 if dtype.kind == "c" else 1


def lookups(
    dtype: str, addresses: int, records: Iterable[tuple[Any, int]], *, times: int = 1
) -> tuple[Charge, ...]:
    """Charge look-ups of records at computed addresses, and the elements that they read as loads.

    A record of the model lies at its address: one look-up reads all records of a call that lie there,
    whatever their width. What was computed lies nowhere: choosing a record of it moves every number.

    Parameters
    ----------
    dtype
        Name of the dtype of the addresses.
    addresses
        How many addresses.
    records
        For every table that is read at them: the table, and how many elements a record of it has.
    times
        At how many places of axes before the indexed ones each address is followed.
    """
    records = list(records)
    at_once = any(lies_in_model(table) for table, _ in records)
    moved = sum(width * numbers_of(table.dtype) for table, width in records if not lies_in_model(table))
    loads = (Charge("load", name_of(table.dtype), addresses * times * width) for table, width in records)
    return (Charge("lookup", dtype, addresses * times * (at_once + moved)), *loads)


def selections(dtype: np.dtype[Any], elements: int) -> tuple[Charge, ...]:
    """Charge elements that a decision has chosen or moved: one operation for every real number."""
    return (Charge("select", name_of(dtype), elements * numbers_of(dtype)),)


def writes(index: np.dtype[Any], target: np.dtype[Any], elements: int) -> tuple[Charge, ...]:
    """Charge elements that are written at computed addresses: each is moved, wherever the array lies."""
    return (
        Charge("lookup", name_of(index), elements * numbers_of(target)),
        Charge("load", name_of(target), elements),
    )


def descent(
    rows: int,
    levels: int,
    records: Iterable[tuple[Any, int]],
    compared: np.dtype[Any],
    address: str = "int64",
) -> tuple[Charge, ...]:
    """Charge going down a binary tree: per level a record, a comparison and, after the first, an address.

    Parameters
    ----------
    rows, levels
        How many go down, and how far.
    records
        What is looked up at a node, as for :func:`lookups`.
    compared
        The dtype of the comparison.
    address
        Name of the dtype of the addresses that records are looked up at.
    """
    return (
        *lookups(address, rows * levels, records),
        Charge("cmp", name_of(compared), rows * levels),
        *addressing("int64", rows, levels),
    )


def addressing(dtype: str, addresses: int, parts: int) -> tuple[Charge, ...]:
    """Charge making addresses of ``parts`` parts each: one operation for every part after the first."""
    return (Charge("address", dtype, addresses * max(parts - 1, 0)),)


@functools.cache
def name_of(dtype: np.dtype[Any]) -> str:
    """Name a dtype. NumPy puts the name together anew each time, which takes longer than a small addition."""
    return dtype.name


def bits_to_choose(options: int) -> int:
    """Comparisons needed to choose one of ``options``: ``ceil(log2(options))``, 0 for one or none."""
    return max(options - 1, 0).bit_length()


def inner_product(outputs: int, length: int, dtype: np.dtype[Any]) -> tuple[Charge, ...]:
    """Charge ``outputs`` inner products of ``length`` terms: k multiplications and k - 1 additions each."""
    if length == 0:
        return ()
    name = name_of(dtype)
    return (
        Charge("mul", name, outputs * length),
        Charge("add", name, outputs * (length - 1)),
        Charge("mac", name, outputs * length),
    )
