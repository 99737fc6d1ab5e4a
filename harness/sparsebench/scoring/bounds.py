"""The counting bound on memorization, from theory (Koyuncu, ICLR 2023, arXiv:2303.11247)."""

from __future__ import annotations

import math

from sparsebench.errors import UsageError

__all__ = ["counting_bound", "respects_counting_bound"]

_SLACK = 1e-9  # relative: means of integers are rounded once


def counting_bound(n: float) -> float:
    """Return the fewest operations per input with which n generic labels can be memorized.

    T additions, multiplications and comparisons allow 2^T outcomes, and a path with T constants fits at
    most T generic labels: ``n <= T * 2^T``, so the bound is the smallest T with ``T + log2 T >= log2 n``.
    The right-hand side of ``1/n >= 2^-T / T`` is convex in T, so the same bound holds for the *mean* of T
    over the inputs.

    Parameters
    ----------
    n
        Number of labels, at least 1.

    Returns
    -------
    float
        Operations per input in the profile ``add-mul-cmp`` (look-ups free). 0 for one label: a constant
        fits it.

    Raises
    ------
    UsageError
        ``n`` is below 1.
    """
    if not n >= 1:
        raise UsageError(
            f"counting bound of {n} labels, expected at least 1", help="count the labels that are right"
        )
    if n == 1:
        return 0.0
    goal = math.log2(n)
    low, high = 0.0, max(1.0, goal)
    while True:
        middle = low + (high - low) / 2.0
        if middle in {low, high}:
            return high
        if middle + math.log2(middle) >= goal:
            high = middle
        else:
            low = middle


def respects_counting_bound(
    ops_add_mul_cmp: float, n_memorized: int, *, n_inputs: int | None = None, labels_per_value: int = 1
) -> bool:
    """Return whether a count is possible at all. If it is not, the meter has a defect.

    Parameters
    ----------
    ops_add_mul_cmp
        Mean operations per input in the profile ``add-mul-cmp``, over the memorized inputs, or, if
        ``n_inputs`` is given, over all inputs.
    n_memorized
        The number of labels that were answered correctly.
    n_inputs
        The number of inputs of the mean. The inputs that were not memorized may have cost nothing,
        so the mean over the memorized ones is then known only to be at most ``ops_add_mul_cmp * n_inputs /
        n_memorized``.
    labels_per_value
        The number of labels for which a single value can be right: ``n * best_constant_recall(y)``. With a
        tolerance, random labels are not quite generic, and a constant that costs nothing is right for this
        many.

    Raises
    ------
    UsageError
        ``labels_per_value`` is below 1.
    """
    if labels_per_value < 1:
        raise UsageError(
            f"labels_per_value is {labels_per_value}, expected at least 1", help="one value fits a label"
        )
    values = n_memorized / labels_per_value
    if values <= 1:
        return True
    cost = ops_add_mul_cmp * (1.0 if n_inputs is None else n_inputs / n_memorized)
    return cost >= counting_bound(values) * (1.0 - _SLACK)
