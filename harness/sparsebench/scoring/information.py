"""Mutual information, normalised to [0, 1]: how much one grouping tells about another."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["normalised_mutual_information"]


def normalised_mutual_information(joint: Mapping[tuple[int, int], int]) -> float:
    """Return the mutual information of two groupings divided by the arithmetic mean of their entropies.

    The same as ``sklearn.metrics.normalized_mutual_info_score`` by default (Strehl and Ghosh, "Cluster
    ensembles", JMLR 3, 2002, with the arithmetic instead of the geometric mean). Natural logarithms; the base
    cancels.

    Parameters
    ----------
    joint
        (group of the first, group of the second) -> count, at least one of them above 0. Counts of 0 add
        nothing.

    Returns
    -------
    float
        1 if each grouping determines the other, also if both have only one group; 0 if they are independent,
        and if exactly one of them has only one group.
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
    # I = H(A) + H(B) - H(A, B): if one determines the other, the equal terms cancel to the last bit.
    shared = entropies[0] + entropies[1] - _entropy(joint.values())
    return min(max(shared / mean, 0.0), 1.0)


def _entropy(counts: Iterable[int]) -> float:
    """Return the entropy of a distribution in nats, with sums rounded once: no digit depends on an order."""
    present = [count for count in counts if count]
    whole = sum(present)
    return math.fsum(-(count / whole) * math.log(count / whole) for count in present)
