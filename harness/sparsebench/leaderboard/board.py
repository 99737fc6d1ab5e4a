"""The board: the records that the tables show, and nothing else. All renderers read them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparsebench.leaderboard.ratios import Reaches
    from sparsebench.results import Row
    from sparsebench.scoring import Rank

__all__ = [
    "ENOUGH_SEEDS",
    "QUALITIES",
    "Board",
    "BoardTask",
    "Entry",
    "Pair",
    "Point",
    "Ratio",
    "Steps",
    "TaskScore",
    "short_hash",
]

Steps = tuple[tuple[float, float], ...]
"""A budget curve: log2 of operations per input, ascending, and the quality that holds from there to the next
step. Before the first step it is 0."""

ENOUGH_SEEDS = 5
"""The number of seeds of a board by default. With fewer it is preliminary."""

QUALITIES = (0.5, 0.7, 0.9)
"""The qualities at which operations are compared with the reference's."""


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
    """The instances that every entry is scored on, sorted; empty if the task has no rows."""
    homes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Instance that came with an earlier version -> that version's reference and hash, which rows name."""
    reference: str | None = None
    """The dense submission that operations are compared with; None where the board has no rows of one."""

    def holds(self, row: Row) -> bool:
        """Return whether a row is of this version, or of the earlier one that its instance came with."""
        return row.task == self.homes.get(row.instance, (self.ref, self.hash))[0]


def short_hash(value: str) -> str:
    """Return the first digits of a hash (``sha256:...`` or bare), for people to compare."""
    return value.rpartition(":")[2][:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One variant of a submission on one task, over all the board's instances and seeds."""

    variant: str
    """Name of the variant."""
    ops: float | None
    """Active operations per input: arithmetic mean over the cells that ran; None if none did."""
    ops_router_free: float | None
    """The same without the router, as papers report it; None where no row has it."""
    quality_mean: float
    """Mean over all cells of quality, 0 for a cell that failed or is missing. Also of models that are too
    large: they are shown, and score nothing."""
    error_mean: float | None
    """Mean error over the cells that ran; None where none did."""
    memory_bytes: int | None
    """Bytes that the largest of its models stores; None if no row says so."""
    n_cells: int
    """Cells that the mean is over: the board's instances x seeds of the task."""
    n_failed: int
    """Of those, cells with another status than ``ok``."""
    n_missing: int
    """Of those, cells without any row. They count as failed."""
    n_large: int
    """Of those, cells that ran, and whose models store more than the box has room for: they score nothing."""
    statuses: tuple[tuple[str, int], ...]
    """Rows by status, sorted by name."""
    nmi: float | None = None
    """Mean of the rows' mutual information of expert and domain, normalised; None where no row has it."""
    own_price: float | None = None
    """Per input by the board's price list: mean over the cells that ran. Not scored; None without a list."""
    bought: tuple[tuple[float, float] | None, ...] = ()
    """On each of the task's instances: log2 of the operations per input, by the board's profile, that pay for
    all of its cells, and the quality that it buys with them; None where it buys nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The ratio of the operations of the task's reference to a submission's, at one quality."""

    quality: float
    """The quality that is bought."""
    times: float | None
    """Operations of the reference divided by own ones: geometric mean over the instances on which both reach
    the quality. None where there are none."""
    low: float | None
    """Lower end of its 95 % interval over seeds; None with one seed, and where it is not sure that the
    submission reaches the quality on all of them."""
    high: float | None
    """Upper end; None with one seed, and where it is not sure that the reference does."""
    instances: int
    """On how many instances both reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskScore:
    """A submission's score on one task."""

    task: str
    """Task reference."""
    score: float
    """The ranked score: the jackknife's mean over seeds of the mean area under the budget curves."""
    low: float | None
    """Lower end of the 95 % interval over seeds; None with one seed."""
    high: float | None
    """Upper end; None with one seed."""
    exact: bool
    """Whether all of two or more seeds give one score."""
    plain: float
    """The mean area itself, of all seeds together."""
    rank: Rank | None
    """The places that it may hold on the task; None for an entry of another class."""
    ahead: tuple[int, int] | None
    """On how many of how many instances its area is larger than that of the entry with the next lower score;
    None for the last one."""
    areas: tuple[float, ...]
    """The area on each of the task's instances, in their order: ``plain`` is their mean."""
    values: tuple[float, ...]
    """The jackknife's pseudo-value of each seed: ``score`` is their mean."""
    ratios: tuple[Ratio, ...]
    """Against the task's reference, one of `QUALITIES` each; empty where the board has none."""
    router_share: float | None
    """The router's part of the operations: mean over the cells that ran; None where no row says so."""
    tail: float | None
    """The 95th percentile of operations per input over their mean: mean over the cells that ran."""
    seeds: int
    """Of how many of the board's seeds it has rows."""
    points: tuple[Point, ...]
    """One per variant, sorted by name."""
    curves: tuple[Steps, ...] = ()
    """The budget curve on each of the instances, in their order: ``areas`` are the areas under them."""
    reaches: Reaches = ()
    """The cost of each of `QUALITIES` on each of the instances: ``ratios`` are made of them."""

    @property
    def failed_share(self) -> float:
        """The share of cells that failed or are missing, in [0, 1]."""
        cells = sum(point.n_cells for point in self.points)
        return sum(point.n_failed + point.n_missing for point in self.points) / cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A submission on the board."""

    submission: str
    """Name of the submission."""
    title: str | None
    """Its title, where known."""
    tasks: tuple[TaskScore | None, ...]
    """One per task of the board, in its order; None where it has no rows."""
    score: float | None = None
    """Mean of its scores on all tasks; None where it does not enter every one, or is of another class."""
    low: float | None = None
    """Lower end of the interval of that mean; None without one."""
    high: float | None = None
    """Upper end."""
    rank: Rank | None = None
    """The places that it may hold over all tasks; None where it has no mean."""
    uses_tags: bool = False
    """Whether it got the domains of the inputs that it predicted: a separate class, not ranked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two ranked entries that share a task."""

    first: str
    """Name of an entry."""
    second: str
    """Name of the other, which comes after it in the alphabet."""
    difference: float
    """Score of the first less that of the second."""
    p: float | None
    """Welch's p value; None where there is no test: one seed, or both scores are exact."""
    adjusted: float | None
    """The p value after Holm's correction over the task's tests."""
    winner: str | None
    """The one that beats the other; None if neither does."""
    better: int
    """On how many instances the first has the larger area."""
    worse: int
    """On how many the second has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Entries over tasks: those with a mean first, best first; then the others, by name."""

    tasks: tuple[BoardTask, ...]
    """The board's tasks, in the order given."""
    entries: tuple[Entry, ...]
    """All submissions that have a row on one of the tasks."""
    scoring_version: int | None
    """The version that all rows share; None on an empty board."""
    cost_model: int | None
    """The price list that all rows share; None on an empty board."""
    notes: tuple[str, ...]
    """What a reader must know about these rows, one line each."""
    seeds: int = 0
    """The number m of the board's seeds, 0 ... m - 1, which are the same for every entry."""
    wanted_seeds: int = ENOUGH_SEEDS
    """How many it should have."""
    pairs: tuple[tuple[Pair, ...], ...] = ()
    """Of each task, in order, the pairs of entries that are ranked there."""
    profile: str = "ops"
    """The price list that entries are scored by: ``ops`` is the standard one."""
    prices: str | None = None
    """Name of a price list that is shown after ``ops``; None if there is none."""
    rows: tuple[Row, ...] = field(default=(), repr=False, compare=False)
    """The rows that count, of the entries that are shown: one for each cell that has any."""

    @property
    def preliminary(self) -> bool:
        """Whether there are rows, but fewer seeds than there should be."""
        return 0 < self.seeds < self.wanted_seeds

    @property
    def uses_tags(self) -> bool:
        """Whether any entry was given domains."""
        return any(entry.uses_tags for entry in self.entries)

    @property
    def has_nmi(self) -> bool:
        """Whether any of the points has mutual information."""
        scores = (score for entry in self.entries for score in entry.tasks if score is not None)
        return any(point.nmi is not None for score in scores for point in score.points)

    def ranked(self, task: int) -> list[tuple[Entry, TaskScore]]:
        """Return the entries of a task: the ranked ones, best score first, then those of the other class."""
        found = [(entry, score) for entry in self.entries if (score := entry.tasks[task]) is not None]
        return sorted(found, key=lambda each: (each[0].uses_tags, -each[1].score, each[0].submission))
