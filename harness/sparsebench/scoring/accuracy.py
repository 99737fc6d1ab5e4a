"""Counting right answers domain by domain, in whole numbers: no digit depends on an order of summing."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Tally", "count_right"]


class Tally(NamedTuple):
    """Right answers as whole numbers on one scale, on which every domain weighs the same."""

    right: int
    """What was answered right."""
    constant: int
    """What the best constant answers right."""
    whole: int
    """All there is."""


def count_right(labels: NDArray[Any], prediction: NDArray[Any], tag: NDArray[Any] | None) -> Tally:
    """Count what a prediction, and what the best constant, answers right.

    The share of the whole is the mean over domains of the share within the domain. With the least common
    multiple of the domains' sizes as the unit of each, all shares are whole numbers.

    Parameters
    ----------
    labels
        Class numbers, integers ``(n,)``, with ``n >= 1``.
    prediction
        Integers or floats ``(n,)``. One is right if it equals the label.
    tag
        The domain of each row, integers ``(n,)``; None where all rows are of one.

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
