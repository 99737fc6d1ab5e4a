"""The board: what the tables show, and nothing else. All renderers read these records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparsebench.scoring import Rank

__all__ = ["ENOUGH_SEEDS", "Board", "BoardTask", "Entry", "Point", "TaskScore", "short_hash"]

ENOUGH_SEEDS = 5
"""Fewer seeds than this are marked: their interval, if any, says little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardTask:
    """A task of the board, with its frozen scoring box."""

    ref: str
    """Task reference, such as ``memorization@1``."""
    hash: str
    """Content hash that all rows shown were made with."""
    log2_ops_low: float
    """Cheap edge of the box, log2 of operations per input."""
    log2_ops_high: float
    """Expensive edge of the box."""
    instances: tuple[str, ...] = ()
    """The instances that every entry is scored on; empty where each has those that it has rows of."""


def short_hash(value: str) -> str:
    """Return as much of a hash (``sha256:...`` or bare) as people compare by eye."""
    return value.rpartition(":")[2][:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One variant of a submission on one task, over all its instances and seeds."""

    variant: str
    """Name of the variant."""
    ops: float | None
    """Active operations per input: arithmetic mean over the cells that ran; None where none did."""
    ops_router_free: float | None
    """The same without the router, as papers report it; None where no row has it."""
    log2_ops_mean: float
    """What is scored: mean over all cells of log2 of operations, held to the box's cheap edge from below."""
    quality_mean: float
    """What is scored: mean over all cells of quality, 0 for a cell without a score."""
    error_mean: float | None
    """Mean error over the cells that ran; None where none did."""
    n_cells: int
    """Cells that the mean is over: the submission's instances x seeds on this task."""
    n_failed: int
    """Of those, cells with another status than ``ok``."""
    n_missing: int
    """Of those, cells without any row. They count as failed."""
    statuses: tuple[tuple[str, int], ...]
    """Rows by status, sorted by name."""
    nmi: float | None = None
    """Mean of the rows' mutual information of expert and domain, normalised; None where no row has it."""
    own_price: float | None = None
    """Per input by the board's price list: mean over the cells that ran. Not scored; None without a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScore:
    """A submission's score on one task."""

    task: str
    """Task reference."""
    score: float
    """Area that the variants' points dominate, as a fraction of the box."""
    low: float | None
    """Lower end of the 95 % t interval over seeds; None with one seed."""
    high: float | None
    """Upper end of the 95 % t interval over seeds; None with one seed."""
    instances: tuple[str, ...]
    """Names of the instances, sorted."""
    seeds: int
    """Number of seeds."""
    points: tuple[Point, ...]
    """One per variant, sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A submission on the board."""

    submission: str
    """Name of the submission."""
    title: str | None
    """Its title, where known."""
    score: float
    """Unweighted mean of the task scores; a task without rows counts 0."""
    rank: Rank
    """The places it may hold: entries are told apart only where a test tells them apart."""
    tasks: tuple[TaskScore | None, ...]
    """One per task of the board, in its order; None where the submission has no rows."""
    uses_tags: bool = False
    """Whether it was told the domains of the inputs that it predicted."""

    @property
    def seeds(self) -> int:
        """The smallest number of seeds on any of its tasks."""
        return min((task.seeds for task in self.tasks if task is not None), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Entries over tasks, best score first, then by name."""

    tasks: tuple[BoardTask, ...]
    """The tasks that the score is a mean over, in the order given."""
    entries: tuple[Entry, ...]
    """All submissions that have a row on one of the tasks."""
    scoring_version: int | None
    """The version that all rows share; None on an empty board."""
    cost_model: int | None
    """The price list that all rows share; None on an empty board."""
    notes: tuple[str, ...]
    """What a reader must know about these rows, one line each."""
    prices: str | None = None
    """Name of a price list that is shown beside ``ops``; None where there is none."""

    @property
    def uses_tags(self) -> bool:
        """Whether any of the entries was told domains."""
        return any(entry.uses_tags for entry in self.entries)

    @property
    def has_nmi(self) -> bool:
        """Whether any of the points has mutual information."""
        scores = (score for entry in self.entries for score in entry.tasks if score is not None)
        return any(point.nmi is not None for score in scores for point in score.points)
