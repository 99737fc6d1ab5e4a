"""An explanation as a table for a terminal of 100 columns, and as JSON."""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from textwrap import fill
from typing import TYPE_CHECKING, Any

import click

from sparsebench.author.observations import observations
from sparsebench.leaderboard.escape import for_terminal
from sparsebench.meter import PHASES, Entry, Ledger, price
from sparsebench.ops.charges import KINDS
from sparsebench.results.priced import price_footnote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.author.explanation import Explanation, Line
    from sparsebench.meter.pricelist import PriceList

__all__ = ["as_text", "to_json"]

_WIDTH = 100
_QUIET = ("mac",)  # kinds that are counted in other kinds as well; they are left out below a line


def as_text(found: Explanation, by: str, prices: PriceList | None = None) -> str:
    """Return an explanation as text: the total, phases, then lines or kinds, then what stands out.

    Parameters
    ----------
    found
        The explanation.
    by
        ``line``, ``kind`` or ``phase``.
    prices
        A price list to show as one more column.
    """
    table = _Table(found, prices)
    phases = [phase for phase in PHASES if list(found.of_phase(phase))]
    parts = [_head(found), "\n".join(table.phases(phases, detailed=by == "phase"))]
    if by == "line":
        parts.append("\n".join(table.lines()))
    elif by == "kind":
        parts.append("\n".join(table.kinds()))
    parts.append(fill(price_footnote(prices.name), _WIDTH) if prices else "")
    parts.append("\n".join(fill(f"- {said}", _WIDTH, subsequent_indent="  ") for said in observations(found)))
    return "\n\n".join(part for part in parts if part)


def to_json(found: Explanation, prices: PriceList | None = None) -> dict[str, Any]:
    """Return the whole explanation, ready for ``json.dumps``. Counts and prices are per input."""
    names = ("submission", "variant", "task", "instance", "seed", "inputs", "ops")
    own = {} if prices is None else {prices.name: _per_input(found, prices.price(found.ledger))}
    return {
        **{name: getattr(found, name) for name in names},
        "prices": {**found.prices, **own},
        "bits": found.bits,
        "loads": found.loads,
        "loaded_parameters": found.loaded_parameters,
        "phases": {phase: _account(found, found.of_phase(phase), prices) for phase in PHASES},
        "kinds": {
            kind: {
                "count": _per_input(found, found.ledger.count(kind)),
                "ops": _per_input(found, price(entries)),
            }
            for kind, entries in _by_kind(found.ledger).items()
        },
        "lines": [_line(found, line, prices) for line in found.lines],
        "observations": observations(found),
    }


def _line(found: Explanation, line: Line, prices: PriceList | None) -> dict[str, Any]:
    return {
        "phase": line.phase,
        "file": line.file,
        "line": line.number,
        "function": line.function,
        "source": line.source,
        "called_from": line.called_from,
        **_account(found, line.ledger, prices),
        "fixed_ops": _per_input(found, price(line.fixed)),
        "requests": _per_input(found, line.requests),
    }


def _account(found: Explanation, ledger: Ledger, prices: PriceList | None) -> dict[str, Any]:
    """Return the price of a part, its share of everything, and its counts by kind."""
    ops = _per_input(found, price(ledger))
    own = {} if prices is None else {"prices": {prices.name: _per_input(found, prices.price(ledger))}}
    counts = {kind: _per_input(found, ledger.count(kind)) for kind in _by_kind(ledger)}
    return {"ops": ops, **own, "share": ops / found.ops if found.ops else 0.0, "counts": counts}


def _per_input(found: Explanation, amount: float) -> float:
    return amount / found.inputs


def _by_kind(ledger: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the entries of every kind, the most expensive kind first."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in ledger:
        groups[entry.kind].append(entry)
    return dict(sorted(groups.items(), key=lambda item: (-price(item[1]), list(KINDS).index(item[0]))))


def _head(found: Explanation) -> str:
    where = f"{found.submission}/{found.variant} on {found.task}/{found.instance}, seed {found.seed}"
    said = [
        f"{_number(found.ops)} operations",
        f"{_number(found.loads)} elements read by look-ups",
        f"{_number(found.loaded_parameters)} parameters read",
        f"{_number(found.bits)} bit{'s' * (found.bits != 1)} revealed",
    ]
    inputs = f"Per input ({found.inputs:,} inputs, each alone):"
    return f"{_bold(for_terminal(where))}\n{fill(f'{inputs} ' + ', '.join(said) + '.', _WIDTH)}"


class _Table:
    """Rows of numbers, each followed by text."""

    def __init__(self, found: Explanation, prices: PriceList | None) -> None:
        self._found = found
        self._prices = prices

    def phases(self, phases: Sequence[str], *, detailed: bool) -> list[str]:
        """Return a row per phase, with its kinds if they are wanted."""
        rows = [self._heading("phase")]
        for phase, sums in zip(phases, self._sums(map(self._found.of_phase, phases)), strict=True):
            ledger = self._found.of_phase(phase)
            rows.append(self._row(ledger, sums, phase))
            if detailed:
                rows.append(self._below(self._kinds(ledger)))
        return rows if phases else []

    def lines(self) -> list[str]:
        """Return two rows per line: its text, and its kinds."""
        shown = [line for line in self._found.lines if line.ops or self._own(line.ledger)]
        rows = [self._heading(f"{'phase':<8} line")]
        for line, sums in zip(shown, self._sums(line.ledger for line in shown), strict=True):
            rows.append(self._row(line.ledger, sums, f"{line.phase:<8} {line.place}  {line.source}"))
            rows.append(self._below(self._about(line)))
        return rows if shown else []

    def kinds(self) -> list[str]:
        """Return a row per kind."""
        groups = _by_kind(self._found.ledger)
        rows = [self._heading(f"{'kind':<8} {'count':>12}  of")]
        for (kind, entries), sums in zip(groups.items(), self._sums(groups.values()), strict=True):
            count = _number(_per_input(self._found, sum(entry.amount for entry in entries)))
            rows.append(self._row(entries, sums, f"{kind:<8} {count:>12}  {KINDS[kind]}"))
        return rows if groups else []

    def _about(self, line: Line) -> str:
        """Describe how the price of a line is made up."""
        said = [
            f"in {line.function}: {self._kinds(line.ledger)}" if line.function else self._kinds(line.ledger)
        ]
        if line.called_from:
            said.append(f"called from {line.called_from}")
        fixed = price(line.fixed)
        if fixed == line.ops and fixed:
            said.append("could move to fit")
        elif fixed:
            said.append(f"{_number(_per_input(self._found, fixed))} could move to fit")
        return "; ".join(said)

    def _kinds(self, ledger: Ledger) -> str:
        counts = {kind: ledger.count(kind) for kind in _by_kind(ledger) if kind not in _QUIET}
        return ", ".join(
            f"{kind} {_number(_per_input(self._found, count))}" for kind, count in counts.items() if count
        )

    def _sums(self, ledgers: Iterable[Iterable[Entry]]) -> list[int]:
        return list(itertools.accumulate(price(ledger) for ledger in ledgers))

    def _own(self, ledger: Iterable[Entry]) -> float:
        return self._prices.price(ledger) if self._prices else 0

    def _heading(self, text: str) -> str:
        own = f"{self._prices.name:>{self._wide}} " if self._prices else ""
        return _bold(f"{'ops':>10} {own}{'%':>6} {'sum':>6}  {text}")

    @property
    def _wide(self) -> int:
        return max(12, len(self._prices.name)) if self._prices else 0

    def _row(self, entries: Iterable[Entry], sums: int, text: str) -> str:
        held = list(entries)
        ops, whole = price(held), price(self._found.ledger)
        own = f"{_number(_per_input(self._found, self._own(held))):>{self._wide}} " if self._prices else ""
        numbers = (
            f"{_number(_per_input(self._found, ops)):>10} {own}{_share(ops, whole)} {_share(sums, whole)}"
        )
        return _cut(f"{numbers}  {_inert(text)}")

    def _below(self, text: str) -> str:
        indent = " " * (35 + (self._wide + 1 if self._prices else 0))
        return fill(_inert(text), _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ")


def _inert(text: str) -> str:
    """Remove everything that a terminal obeys, but keep the spaces between columns."""
    return "".join(character if character.isprintable() else " " for character in text)


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:6.1f}" if whole else f"{'-':>6}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _bold(text: str) -> str:
    return text if os.environ.get("NO_COLOR") else click.style(text, bold=True)
