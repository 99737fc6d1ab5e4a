"""Counting right answers by domain, in whole numbers: no digit depends on the order of summation."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Tally", "count_right"]


class Tally(NamedTuple):
    """Right answers as whole numbers on one scale, on which every domain has the same weight."""

    right: int
    """The right answers of the prediction."""
    constant: int
    """The right answers of the best constant."""
    whole: int
    """All there is."""


def count_right(labels: NDArray[Any], prediction: NDArray[Any], tag: NDArray[Any] | None) -> Tally:
    """Count the right answers of a prediction, and of the best constant.

    The accuracy is the mean over domains of the share of right answers within the domain. With the least
    common multiple of the domains' sizes as denominator, all shares are whole numbers.

    Parameters
    ----------
    labels
        Class numbers, integers ``(n,)``, with ``n >= 1``.
    prediction
        Integers or floats ``(n,)``. One is right if it equals the label.
    tag
        The domain of each row, integers ``(n,)``; None if all rows are of one domain.

    Returns
    -------
    Tally
    """
    domain = np.zeros(len(labels), np.int64) if tag is None else np.unique(tag, return_inverse=True)[1]
    sizes = np.bincount(domain)
    unit = math.lcm(*sizes.tolist())
    weights = [unit // size for size in sizes.tolist()]
    hits = np.bincount(domain[prediction == labels], minlength=len(sizes)).tolist()
    right = sum(weight * count for weight, count in zip(weights, hits, strict=True))
    return Tally(right, _best_constant(labels, domain, weights), unit * len(sizes))


def _best_constant(labels: NDArray[Any], domain: NDArray[Any], weights: list[int]) -> int:
    classes = np.unique(labels, return_inverse=True)[1]
    pairs, often = np.unique(classes * len(weights) + domain, return_counts=True)
    totals: Counter[int] = Counter()
    for pair, count in zip(pairs.tolist(), often.tolist(), strict=True):
        totals[pair // len(weights)] += weights[pair % len(weights)] * count
    return max(totals.values())
