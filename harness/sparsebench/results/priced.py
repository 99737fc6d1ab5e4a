"""Prices of stored raw counts by a user's price list: only shown, never stored or used for ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.meter import Entry

if TYPE_CHECKING:
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results.row import Row

__all__ = ["price_footnote", "price_of_row", "with_price"]


def price_of_row(row: Row, prices: PriceList) -> float | None:
    """Return the price of a row's counts per input; None if it has no counts.

    Raises
    ------
    UsageError
        If the row has a kind of operation that the list does not know.
    """
    if row.counts is None or not row.counted_inputs:
        return None
    entries = (Entry(count.phase, count.kind, count.dtype, count.count) for count in row.counts)
    return prices.price(entries) / row.counted_inputs


def price_footnote(name: str) -> str:
    """Return the footnote that explains the column of a price list under a table."""
    return f"{name}: the raw counts by that price list. It is not stored, and nothing is ranked by it."


def with_price(row: Row, prices: PriceList | None) -> dict[str, Any]:
    """Return a row ready for JSON, with its price beside ``ops``, under the name of the list."""
    plain = row.to_json_dict()
    if prices is None:
        return plain
    beside: dict[str, Any] = {}
    for name, value in plain.items():
        beside[name] = value
        if name == "ops":
            beside[prices.name] = price_of_row(row, prices)
    return {**beside, "ops": row.ops}
