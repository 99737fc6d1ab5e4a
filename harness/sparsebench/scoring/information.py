"""How much of a grouping another one tells: mutual information, normalised to [0, 1]."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["normalised_mutual_information"]


def normalised_mutual_information(joint: Mapping[tuple[int, int], int]) -> float:
    """Return the mutual information of two groupings over the arithmetic mean of their entropies.

    As ``sklearn.metrics.normalized_mutual_info_score`` by default (Strehl and Ghosh, "Cluster ensembles",
    JMLR 3, 2002, with the arithmetic in the place of the geometric mean). Natural logarithms; the base
    cancels.

    Parameters
    ----------
    joint
        (group of the one, group of the other) -> how often, at least once in all. Counts of 0 add nothing.

    Returns
    -------
    float
        1 where each grouping decides the other, also where both have one group only; 0 where they are
        independent, and where one of them alone has one group only.
    """
    first: Counter[int] = Counter()
    second: Counter[int] = Counter()
    for (a, b), count in joint.items():
        first[a] += count
        second[b] += count
    entropies = [_entropy(counts.values()) for counts in (first, second)]
    mean = sum(entropies) / 2
    if mean == 0.0:
        return 1.0
    # I = H(A) + H(B) - H(A, B): where one decides the other, the equal terms cancel to the last bit.
    shared = entropies[0] + entropies[1] - _entropy(joint.values())
    return min(max(shared / mean, 0.0), 1.0)


def _entropy(counts: Iterable[int]) -> float:
    """Entropy of a distribution in nats, by rounded-once sums: its digits do not depend on an order."""
    present = [count for count in counts if count]
    whole = sum(present)
    return math.fsum(-(count / whole) * math.log(count / whole) for count in present)
