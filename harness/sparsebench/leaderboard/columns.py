"""The columns of a task's table: what each shows of an entry, and which ones are left out first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import UsageError
from sparsebench.leaderboard.board import QUALITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sparsebench.leaderboard.board import BoardTask, Entry, Point, Ratio, TaskScore
    from sparsebench.scoring import Rank

    Cell = Callable[[Entry, TaskScore], str]
    Key = Callable[[Entry, TaskScore], tuple[float, float] | None]

__all__ = [
    "COLUMNS",
    "NEVER",
    "SORTS",
    "Column",
    "by_cost",
    "cells_of",
    "columns_of",
    "half_width",
    "is_exact",
    "many",
    "mean_of",
    "places",
    "ratio_head",
    "short_number",
    "short_size",
    "sorted_by",
    "times_on",
    "with_interval",
]

NEVER = 0
"""The `Column.drop` of a column that is never left out."""


def _nothing(*_: object) -> str:
    return ""


class Column(NamedTuple):
    """A column of a table."""

    head: str
    """Its heading."""
    align: str = "right"
    """``left`` or ``right``."""
    drop: int = NEVER
    """The order of leaving out columns in a narrow terminal: the largest goes first."""
    cell: Cell = _nothing
    """What it shows of an entry, in a task's table."""


def places(rank: Rank | None) -> str:
    """Return ``3`` or ``2-4``; ``-`` for an entry without a rank."""
    if rank is None:
        return "-"
    return str(rank.best) if rank.best == rank.worst else f"{rank.best}-{rank.worst}"


def half_width(score: float, low: float, high: float) -> float:
    """Return half the width of an interval, which is clipped to [0, 1]: that of the side that is not."""
    return max(score - low, high - score)


def with_interval(score: float, low: float | None, high: float | None, *, exact: bool = False) -> str:
    """Return a score to three digits, with its precision as far as it is known."""
    if exact:
        return f"{score:.3f} (exact)"
    return f"{score:.3f} (one seed)" if low is None else f"{score:.3f} ({low:.3f} to {high:.3f})"


def ratio_head(quality: float) -> str:
    """Return the head of the column that compares operations at a quality."""
    return f"x fewer at {quality:g}".replace("0.", ".")


def _ratio(number: int) -> Cell:
    def cell(_: Entry, score: TaskScore) -> str:
        return times_on(score.ratios[number], len(score.areas)) if score.ratios else "-"

    return cell


def times_on(ratio: Ratio, instances: int) -> str:
    """Return a ratio with its interval and the instances that it is on: ``12.3 (10.0 to 15.1) on 2/3``.

    An end of the interval that does not exist is a question mark; ``-`` where there is no ratio at all.
    """
    if ratio.times is None:
        return "-"
    on = f"on {ratio.instances}/{instances}"
    times = short_number(ratio.times)
    if ratio.low is None and ratio.high is None:
        return f"{times} {on}"
    low, high = ("?" if end is None else short_number(end) for end in (ratio.low, ratio.high))
    return f"{times} {on}" if low == high == times else f"{times} ({low} to {high}) {on}"


def short_number(value: float) -> str:
    """Write a number to three digits, or its whole part; very large and very small ones by magnitude."""
    if not 1e-4 <= value < 1e9:  # noqa: PLR2004 - beyond, digits say less than the power
        return f"{value:.0e}"
    digits = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:,.{digits}f}"


def short_size(size: int | None) -> str:
    """Write a number of bytes as ``12 B``, ``3.0 KiB`` or ``1.5 MiB``; ``-`` where there is none."""
    if size is None:
        return "-"
    for power, unit in ((20, "MiB"), (10, "KiB")):
        if size >= 1 << power:
            return f"{size / (1 << power):.1f} {unit}"
    return f"{size} B"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _failed(_: Entry, score: TaskScore) -> str:
    return f"{100 * score.failed_share:.1f} % *" if score.failed_share else "0"


def _ahead(_: Entry, score: TaskScore) -> str:
    return "-" if score.ahead is None else f"{score.ahead[0]}/{score.ahead[1]}"


COLUMNS = (
    Column("rank", "right", NEVER, lambda _, score: places(score.rank)),
    Column("submission", "left", NEVER, lambda entry, _: entry.submission),
    Column(
        "score",
        "right",
        NEVER,
        lambda _, score: with_interval(score.score, score.low, score.high, exact=score.exact),
    ),
    *(
        Column(ratio_head(quality), "right", drop, _ratio(number))
        for number, (quality, drop) in enumerate(zip(QUALITIES, (5, 2, 6), strict=True))
    ),
    Column("router", "right", 3, lambda _, score: _share(score.router_share)),
    Column("p95/mean", "right", 7, lambda _, score: "-" if score.tail is None else f"{score.tail:.2f}"),
    Column("failed", "right", 1, _failed),
    Column("ahead", "right", 8, _ahead),
    Column("seeds", "right", 4, lambda _, score: str(score.seeds)),
)
"""Of a task's table, in order."""


def _by_ratio(number: int) -> Key:
    """Return a sort key: the number of instances first, since a ratio on few of them flatters."""

    def key(_: Entry, score: TaskScore) -> tuple[float, float] | None:
        if not score.ratios:
            return None
        return -score.ratios[number].instances, -(score.ratios[number].times or 0.0)

    return key


def _single(value: float | None) -> tuple[float, float] | None:
    return None if value is None else (value, 0.0)


SORTS: dict[str, Key | None] = {
    "score": None,
    "name": lambda _, __: (0.0, 0.0),
    **{f"x{quality:g}".replace("0.", "."): _by_ratio(number) for number, quality in enumerate(QUALITIES)},
    "router": lambda _, score: _single(score.router_share),
    "p95": lambda _, score: _single(score.tail),
    "failed": lambda _, score: _single(-score.failed_share),
}
"""The orders of tables -> the key, of which the smallest comes first; ``score`` is the board's order."""


def sorted_by(found: list[tuple[Entry, TaskScore]], name: str) -> list[tuple[Entry, TaskScore]]:
    """Sort the entries of a task.

    Raises
    ------
    UsageError
        The order does not exist.
    """
    if name not in SORTS:
        raise UsageError(f"expected --sort {', '.join(SORTS)}, got {name!r}", help="score is the default")
    key = SORTS[name]
    if key is None:
        return found

    def place(each: tuple[Entry, TaskScore]) -> tuple[bool, tuple[float, float], str]:
        value = key(*each)
        return value is None, value or (0.0, 0.0), each[0].submission

    return sorted(found, key=place)


def columns_of(task: BoardTask) -> tuple[Column, ...]:
    """Return the columns of a task's table: without a reference, nothing is compared with it."""
    return tuple(c for c in COLUMNS if task.reference is not None or not c.head.startswith("x fewer"))


def is_exact(entry: Entry) -> bool:
    """Return whether all seeds give an entry one mean over all tasks."""
    return entry.low is not None and entry.low == entry.high


def mean_of(entry: Entry) -> str:
    """Return the mean of an entry's scores over all tasks, with its interval."""
    return with_interval(entry.score or 0.0, entry.low, entry.high, exact=is_exact(entry))


def by_cost(points: Iterable[Point]) -> list[Point]:
    """Sort variants: the cheapest first, those that did not run last."""
    return sorted(points, key=lambda point: (point.ops is None, point.ops or 0.0, point.variant))


def cells_of(point: Point) -> str:
    """Return how many cells a variant has of each status, is missing, or has too large models in."""
    parts = [f"{number} {status}" for status, number in point.statuses]
    parts += [f"{point.n_missing} missing"] * bool(point.n_missing)
    return ", ".join(parts + [f"{point.n_large} too large"] * bool(point.n_large))


def many(number: int, what: str) -> str:
    """Return ``1 seed`` or ``5 seeds``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
