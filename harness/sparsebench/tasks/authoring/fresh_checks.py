"""Checks of fresh inputs: whether they are like those of the test split, and different each time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.errors import SparsebenchError
from sparsebench.tasks.fresh import draw_fresh, label_again

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sparsebench.tasks.given import Split
    from sparsebench.tasks.records import Instance, InstanceSpec, TaskSpec

__all__ = ["check_fresh", "largest_gap", "tolerated_gap"]

_MOST = 4096  # rows that are drawn
_SEEDS = (1, 2)
_CHANCE = 1e-6  # the chance that inputs of the same distribution are called different


def check_fresh(task: TaskSpec, spec: InstanceSpec, instance: Instance) -> tuple[bool, str]:
    """Check that fresh inputs are drawn as the test split was, and labelled by the same target.

    Parameters
    ----------
    task, spec, instance
        The declaration, and the loaded data.

    Returns
    -------
    ok, detail
        If there are no fresh inputs, why, and with what consequences: that is no fault.
    """
    if not spec.fresh:
        return True, _why_none(spec)
    try:
        return _drawn(task, spec, instance)
    except SparsebenchError as error:
        return False, f"{error.what}; {error.help}"


def _why_none(spec: InstanceSpec) -> str:
    if spec.commitment:
        return "none without the secret seed; nobody can have seen the test split"
    if spec.source:
        why = "real data are not drawn again"
    elif len(set(spec.splits.values())) == 1:
        why = "the training set is the test"
    else:
        why = "task.toml does not say `fresh = true`"
    return f"none: {why}; a public test, whose answers a submission can ship"


def _drawn(task: TaskSpec, spec: InstanceSpec, instance: Instance) -> tuple[bool, str]:
    n = min(len(instance.test), _MOST)
    one, again, other = (
        draw_fresh(task, spec, instance, seed, n) for seed in (_SEEDS[0], _SEEDS[0], _SEEDS[1])
    )
    for name, values in one.columns.items():
        if not np.array_equal(values, again.columns[name]):
            return False, f"{name} differs between two draws of one seed; draw from nothing but rng"
    if np.array_equal(one.x, other.x):
        return False, "inputs do not depend on the seed; draw them from rng"
    for name, gap, most in _gaps(one, instance.test):
        if gap > most:
            what = (
                f"{name} is distributed otherwise than in test: {gap:.3f} apart, expected {most:.3f} at most"
            )
            return False, f"{what}; draw it as build does"
    spread = float(np.std(instance.test.y, dtype=np.float64))
    told = label_again(task, spec, "test", instance.test, spread) or "labels of test were not made again"
    return True, f"{n} inputs like those of test, and in no split; {told}"


def _gaps(fresh: Split, test: Split) -> Iterator[tuple[str, float, float]]:
    """Yield, for each feature, the labels and the domains, the gap of two distributions and its limit."""
    flat, stored = (split.x.reshape(len(split), -1) for split in (fresh, test))
    pairs = {f"feature {i} of x": (flat[:, i], stored[:, i]) for i in range(flat.shape[1])}
    for name in ("y", "tag"):
        if name in fresh.columns:
            pairs[name] = (fresh.columns[name], test.columns[name])
    most = tolerated_gap(len(fresh), len(test), _CHANCE / len(pairs))
    for name, (here, there) in pairs.items():
        yield name, largest_gap(here, there), most


def largest_gap(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Return the largest difference of two samples' distribution functions: Kolmogorov-Smirnov's statistic.

    Parameters
    ----------
    one, other
        Numbers, ``(n,)`` and ``(m,)``, in any order.
    """
    sorted_one, sorted_other = np.sort(one), np.sort(other)
    places = np.concatenate([sorted_one, sorted_other])
    shares = [
        np.searchsorted(values, places, side="right") / len(values) for values in (sorted_one, sorted_other)
    ]
    return float(np.max(np.abs(shares[0] - shares[1])))


def tolerated_gap(n: int, m: int, chance: float) -> float:
    """Return what `largest_gap` exceeds with at most a given chance, if both samples have one distribution.

    sqrt(-ln(chance / 2) (n + m) / (2 n m)): Smirnov 1948, for large samples; the chance is smaller where
    values repeat.
    """
    return math.sqrt(-math.log(chance / 2.0) * (n + m) / (2.0 * n * m))
