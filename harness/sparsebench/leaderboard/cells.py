"""One submission's cells on one task: the full grid variant x instance x seed, and figures made from it.

Every cell of the grid counts, and the grid has the board's instances and seeds. A cell that failed, that has
no row at all, or whose model is too large for the box buys nothing.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from typing import TYPE_CHECKING

from sparsebench.leaderboard.board import Point
from sparsebench.results.priced import price_of_row
from sparsebench.scoring import MOST_BYTES, BudgetCell, budget_area, budget_curve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.leaderboard.board import BoardTask, Steps
    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Row
    from sparsebench.scoring import Variants

__all__ = ["COUNTED", "PROFILES", "Grid"]

PROFILES = {
    "ops": "ops",
    "add-mul-cmp": "ops_add_mul_cmp",
    "macs": "macs",
    "paper-router-free": "ops_router_free",
}
"""Price list that a board may be scored by -> the column that says what a cell costs by it."""

COUNTED = {
    "ops": "active operations per input",
    "add-mul-cmp": "additions, multiplications, comparisons per input",
    "macs": "multiply-accumulates per input",
    "paper-router-free": "operations per input without the router",
}
"""The same price lists -> what they count, in words."""


class Grid:
    """The cells of one submission on one task.

    Parameters
    ----------
    task
        The task with its box and the board's instances of it.
    rows
        The submission's rows on these, at least one and at most one per cell. Rows of other seeds than the
        board's only tell which variants there are.
    seeds
        The number of seeds of the board.
    profile
        One of `PROFILES`: it prices the cells.
    """

    def __init__(self, task: BoardTask, rows: Iterable[Row], seeds: int, profile: str = "ops") -> None:
        given = list(rows)
        self.task = task
        self.seeds = range(seeds)
        self.column = PROFILES[profile]
        self.variants = sorted({row.variant for row in given})
        self.rows = {(row.variant, row.instance, row.seed): row for row in given if row.seed in self.seeds}

    @property
    def uses_tags(self) -> bool:
        """Whether the submission was given domains."""
        return any(row.uses_tags for row in self.rows.values())

    @functools.cached_property
    def cells(self) -> list[Variants]:
        """Return ``(i, v, m)``: each cell's cost and quality, None if it buys nothing."""
        return [
            [[self._cell(variant, instance, seed) for seed in self.seeds] for variant in self.variants]
            for instance in self.task.instances
        ]

    def areas(self) -> tuple[float, ...]:
        """Return the area under the budget curve of each instance."""
        return tuple(budget_area(variants, self.task) for variants in self.cells)

    def curves(self) -> tuple[Steps, ...]:
        """Return the budget curve of each instance."""
        return tuple(
            tuple((float(cost), float(quality)) for cost, quality in budget_curve(variants))
            for variants in self.cells
        )

    def point(self, variant: str, prices: PriceList | None) -> Point:
        """Return a variant's record for the tables, with its price by a user's list."""
        rows = [row for (name, _, _), row in sorted(self.rows.items()) if name == variant]
        ran = [row for row in rows if row.status == "ok"]
        cells = len(self.task.instances) * len(self.seeds)
        return Point(
            variant=variant,
            ops=_mean(row.ops for row in ran),
            ops_router_free=_mean(row.ops_router_free for row in ran),
            quality_mean=math.fsum(row.quality or 0.0 for row in ran) / cells,
            error_mean=_mean(row.error for row in ran),
            memory_bytes=max((r.memory_bytes for r in ran if r.memory_bytes is not None), default=None),
            n_cells=cells,
            n_failed=len(rows) - len(ran),
            n_missing=cells - len(rows),
            n_large=sum(_is_too_large(row) for row in ran),
            statuses=tuple(sorted(Counter(row.status for row in rows).items())),
            nmi=_mean(row.nmi for row in ran),
            own_price=_mean(price_of_row(row, prices) for row in ran) if prices else None,
            bought=tuple(map(_last_step, (cells[self.variants.index(variant)] for cells in self.cells))),
        )

    def router_share(self) -> float | None:
        """Return the router's share of the operations: the mean over the cells that ran."""
        return _mean(_share(row.ops_router, row.ops) for row in self.rows.values())

    def tail(self) -> float | None:
        """Return the 95th percentile of operations over their mean: the mean over the cells that ran."""
        return _mean(_share(row.ops_p95, row.ops) for row in self.rows.values())

    def seen(self) -> int:
        """Count the board's seeds that have rows."""
        return len({seed for _, _, seed in self.rows})

    def _cell(self, variant: str, instance: str, seed: int) -> BudgetCell | None:
        row = self.rows.get((variant, instance, seed))
        return None if row is None else self._bought(row)

    def _bought(self, row: Row) -> BudgetCell | None:
        cost = getattr(row, self.column)
        if row.status != "ok" or row.quality is None or cost is None or _is_too_large(row):
            return None
        return BudgetCell(cost, row.quality)


def _last_step(cells: Sequence[tuple[float, float] | None]) -> tuple[float, float] | None:
    """Return the last step of a variant's own budget curve."""
    paid = [cell for cell in cells if cell is not None and cell[1] > 0.0]
    if not paid:
        return None
    return math.log2(max(1.0, *(cell[0] for cell in paid))), math.fsum(cell[1] for cell in paid) / len(cells)


def _is_too_large(row: Row) -> bool:
    """Return whether a model is too large for the box. A model that was not measured is."""
    return row.memory_bytes is None or row.memory_bytes > MOST_BYTES


def _share(part: float | None, whole: float | None) -> float | None:
    if part is None or whole is None:
        return None
    return part / whole if whole else None


def _mean(values: Iterable[float | None]) -> float | None:
    present: Sequence[float] = sorted(value for value in values if value is not None)
    return math.fsum(present) / len(present) if present else None
