"""A ledger as small tables, by kind and by line of code, for terminals and notebooks."""

from __future__ import annotations

import html
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.meter.prices import WEIGHTS, price

if TYPE_CHECKING:
    from sparsebench.meter.ledger import Entry, Ledger
    from sparsebench.meter.lines import Place, Profiler

__all__ = ["as_html", "as_text"]

_SOURCE = 44  # characters of a line of code that a table shows


def as_text(ledger: Ledger, bits: int, profiler: Profiler) -> str:
    """Return the total, a row per kind and a row per line, each the most expensive first.

    Parameters
    ----------
    ledger
        The counts.
    bits
        The number of bits that left the meter.
    profiler
        The profiler with the counts by line.
    """
    head = f"{price(ledger):,} operations, {bits:,} bit{'s' * (bits != 1)} left the meter"
    kinds = [
        f"{kind:<8} {count:>14,} x {WEIGHTS[kind]} = {ops:>14,}  {share:>6}"
        for kind, count, ops, share in _by_kind(ledger)
    ]
    lines = [
        f"{ops:>14,}  {share:>6}  {place:<20} {source[:_SOURCE]}"
        for place, source, ops, share in _by_line(ledger, profiler)
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in part) for part in ([head], kinds, lines) if part)


def as_html(ledger: Ledger, profiler: Profiler) -> str:
    """Return the same as HTML tables. Code is escaped, so that none of it acts as markup."""
    kinds = _table(("kind", "count", "operations", "share"), _by_kind(ledger))
    lines = _table(("line", "", "operations", "share"), _by_line(ledger, profiler))
    return f"<b>{price(ledger):,} operations</b>{kinds}{lines}"


def _by_kind(ledger: Ledger) -> list[tuple[str, int, int, str]]:
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in ledger:
        found[entry.kind].append(entry)
    counts = {kind: sum(entry.amount for entry in entries) for kind, entries in found.items()}
    priced = {kind: price(entries) for kind, entries in found.items()}
    whole = price(ledger)
    order = sorted(found, key=lambda kind: (-priced[kind], kind))
    return [(kind, counts[kind], priced[kind], _share(priced[kind], whole)) for kind in order]


def _by_line(ledger: Ledger, profiler: Profiler) -> list[tuple[str, str, int, str]]:
    found: dict[Place, int] = defaultdict(int)
    for (_, place, _), spent in profiler.spent.items():
        found[place] += price(spent.ledger)
    whole = price(ledger)
    order = sorted(found, key=lambda place: (-found[place], place))
    return [
        (_name(place), place.source, found[place], _share(found[place], whole))
        for place in order
        if found[place]
    ]


def _name(place: Place) -> str:
    """Return a line's name for people; a notebook's cells are files with meaningless names."""
    if not place.file:
        return "elsewhere"
    unnamed = place.file.startswith("<") or "ipykernel" in place.file
    return f"{'cell' if unnamed else Path(place.file).name}:{place.line}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    cells = [
        [f"{value:,}" if isinstance(value, int) else html.escape(value) for value in row] for row in rows
    ]
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in cells)
    return f"<table><tr>{''.join(f'<th>{name}</th>' for name in head)}</tr>{body}</table>"
