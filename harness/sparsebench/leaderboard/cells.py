"""One submission's cells on one task: the full grid variant x instance x seed, and the points made from it.

Every cell of the grid counts. One that failed, or that has no row at all, has quality 0 at the expensive
edge of the box. Where the board names its instances, leaving out what went badly can never raise a score.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.board import BoardTask, Point, TaskScore
from sparsebench.results.priced import price_of_row
from sparsebench.scoring import hypervolume, t_half_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.meter.pricelist import PriceList
    from sparsebench.results import Row

__all__ = ["Grid"]


class Scored(NamedTuple):
    """What one cell adds to a mean."""

    log2_ops: float
    """At least the box's cheap edge."""
    quality: float
    """In [0, 1]."""


class Grid:
    """The cells of one submission on one task.

    Parameters
    ----------
    task
        The task with its box.
    rows
        The submission's rows on this task, at least one and at most one per cell.
    prices
        A price list to show beside the standard one. Nothing is scored by it.
    """

    def __init__(self, task: BoardTask, rows: Iterable[Row], prices: PriceList | None = None) -> None:
        self.task = task
        self.prices = prices
        among = set(task.instances)
        kept = [row for row in rows if not among or row.instance in among]
        self.rows = {(row.variant, row.instance, row.seed): row for row in kept}
        self.variants = sorted({variant for variant, _, _ in self.rows})
        self.instances = sorted(among or {instance for _, instance, _ in self.rows})
        self.seeds = sorted({seed for _, _, seed in self.rows})

    def score(self) -> TaskScore:
        """Return the task score, with its interval over seeds and the points behind it."""
        area = self._area(self.instances, self.seeds)
        half = t_half_width([self._area(self.instances, [seed]) for seed in self.seeds])
        return TaskScore(
            task=self.task.ref,
            score=area,
            low=None if half is None else area - half,
            high=None if half is None else area + half,
            instances=tuple(self.instances),
            seeds=len(self.seeds),
            points=tuple(self._point(variant) for variant in self.variants),
        )

    def areas(self) -> dict[tuple[str, str, int], float]:
        """Return (task, instance, seed) -> area of the variants' points there: what tests of pairs are on."""
        return {
            (self.task.ref, instance, seed): self._area([instance], [seed])
            for instance in self.instances
            for seed in self.seeds
        }

    @property
    def uses_tags(self) -> bool:
        """Whether the submission was told domains."""
        return any(row.uses_tags for row in self.rows.values())

    def _area(self, instances: Sequence[str], seeds: Sequence[int]) -> float:
        return hypervolume([self._mean(variant, instances, seeds) for variant in self.variants], self.task)

    def _mean(self, variant: str, instances: Sequence[str], seeds: Sequence[int]) -> Scored:
        cells = [self._cell(variant, instance, seed) for instance in instances for seed in seeds]
        return Scored(
            math.fsum(cell.log2_ops for cell in cells) / len(cells),
            math.fsum(cell.quality for cell in cells) / len(cells),
        )

    def _cell(self, variant: str, instance: str, seed: int) -> Scored:
        row = self.rows.get((variant, instance, seed))
        if row is None or row.ops is None or row.quality is None:  # a row without a score has neither
            return Scored(self.task.log2_ops_high, 0.0)
        low = self.task.log2_ops_low
        return Scored(max(low, math.log2(row.ops)) if row.ops > 0 else low, row.quality)

    def _point(self, variant: str) -> Point:
        rows = [row for (name, _, _), row in sorted(self.rows.items()) if name == variant]
        cells = len(self.instances) * len(self.seeds)
        mean = self._mean(variant, self.instances, self.seeds)
        return Point(
            variant=variant,
            ops=_mean(row.ops for row in rows),
            ops_router_free=_mean(row.ops_router_free for row in rows),
            log2_ops_mean=mean.log2_ops,
            quality_mean=mean.quality,
            error_mean=_mean(row.error for row in rows),
            n_cells=cells,
            n_failed=sum(row.status != "ok" for row in rows),
            n_missing=cells - len(rows),
            statuses=tuple(sorted(Counter(row.status for row in rows).items())),
            nmi=_mean(row.nmi for row in rows),
            own_price=_mean(price_of_row(row, self.prices) for row in rows) if self.prices else None,
        )


def _mean(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return math.fsum(present) / len(present) if present else None
