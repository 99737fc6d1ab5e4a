"""Ratios of operations at the same quality: the dense reference's to a submission's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.leaderboard.board import QUALITIES, Ratio
from sparsebench.scoring import ROUNDING, t_half_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.leaderboard.cells import Grid
    from sparsebench.scoring import Variants

    Cells = Sequence[tuple[float, float] | None]

__all__ = ["Reach", "Reaches", "most_telling", "ratios_to", "reach", "reaches_of"]

_MOST = 1023.0  # a float has no larger power of two


class Reach(NamedTuple):
    """The cost of a quality on an instance: log2 of operations per input."""

    cost: float | None
    """The smallest budget that buys it, by the mean over seeds; None where none does."""
    sooner: float | None
    """The smallest that may buy it: the upper end of the mean's 95 % interval does. None as for ``cost``."""
    later: float | None
    """The smallest that surely buys it: the lower end does. None where none does, and with one seed."""


def reach(variants: Variants, quality: float) -> Reach:
    """Return the cost of a quality.

    Parameters
    ----------
    variants
        ``(v, m)``: a submission's cells on an instance, see :data:`sparsebench.scoring.Variants`.
    quality
        The quality, in [0, 1]. There is no interpolation between variants: a budget buys one variant.
    """
    steps = [step for cells in variants for step in _steps(cells)]
    return Reach(
        _first((cost for cost, mean, _ in steps if mean >= quality - ROUNDING)),
        _first((cost for cost, mean, half in steps if mean + (half or 0.0) >= quality - ROUNDING)),
        _first((c for c, mean, half in steps if half is not None and mean - half >= quality - ROUNDING)),
    )


Reaches = tuple[tuple[Reach, ...], ...]
"""For each of `QUALITIES`, what it costs a submission on each of a task's instances."""


def reaches_of(grid: Grid) -> Reaches:
    """Return the cost of each of `QUALITIES` for a submission on each instance."""
    return tuple(tuple(reach(variants, quality) for variants in grid.cells) for quality in QUALITIES)


def ratios_to(reference: Reaches, own: Reaches) -> tuple[Ratio, ...]:
    """Compare operations at each of `QUALITIES`.

    The ratio is a geometric mean over the instances on which both reach the quality. Their number is given
    with it, because leaving out hard instances flatters.

    Its interval comes from inverted tests: from the least cost of the reference divided by the largest cost
    of the submission, to the largest divided by the least. If the mean quality over seeds is clearly above or
    below the required quality at every cost, no other ratio is possible, and both ends are the ratio.

    Parameters
    ----------
    reference, own
        Both on the same instances and seeds; the same object, if the reference is compared with itself.
    """
    return tuple(
        _ratio(quality, theirs, mine, itself=own is reference)
        for quality, theirs, mine in zip(QUALITIES, reference, own, strict=True)
    )


def most_telling(ratios: Iterable[Ratio]) -> Ratio | None:
    """Return the ratio on the most instances, of these that at the highest quality; None without one."""
    known = [ratio for ratio in ratios if ratio.times is not None]
    return max(known, key=lambda ratio: (ratio.instances, ratio.quality), default=None)


def _ratio(quality: float, theirs: Sequence[Reach], mine: Sequence[Reach], *, itself: bool) -> Ratio:
    pairs = zip(theirs, mine, strict=True)
    both = [(a, b) for a, b in pairs if a.cost is not None and b.cost is not None]
    times = _power(_mean(_less(a.cost, b.cost) for a, b in both))
    low = _power(_mean(_less(a.sooner, b.later) for a, b in both))
    high = _power(_mean(_less(a.later, b.sooner) for a, b in both))
    if itself:  # whatever its cost
        low = high = times
    return Ratio(quality=quality, times=times, low=low, high=high, instances=len(both))


def _steps(cells: Cells) -> Iterable[tuple[float, float, float | None]]:
    """Yield (log2 cost, mean quality of cells that cost at most that, half its interval) at each step."""
    for bought in sorted({cost for cell in cells if cell is not None for cost in [cell[0]]}):
        values = [0.0 if cell is None or cell[0] > bought else cell[1] for cell in cells]
        yield math.log2(max(1.0, bought)), math.fsum(values) / len(values), t_half_width(values)


def _first(costs: Iterable[float]) -> float | None:
    return min(costs, default=None)


def _less(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean; None if there are no values, or one is not known."""
    given = list(values)
    known = [value for value in given if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(given) else None


def _power(log2_times: float | None) -> float | None:
    return None if log2_times is None else 2.0 ** max(-_MOST, min(log2_times, _MOST))
