"""Checks of the contents of ``task.toml``: the scoring box, the facts known beforehand, and the size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from sparsebench.tasks.records import Instance, InstanceSpec, Split, TaskSpec

    Int64 = NDArray[np.int64]

__all__ = ["MANY_BYTES", "box_fault", "check_facts", "check_size"]

MANY_BYTES = 10_000_000
"""Committed bytes of a task above which a remark is made: everybody who clones it waits for them."""

_DEAREST = 40.0
_PAIRS = 1 << 16  # random pairs of rows whose difference quotients are computed
_NEIGHBOURS = (256, 4)  # rows whose nearest neighbours are examined, and how many of each
_DIFFERENCES = 1 << 28  # of features, that looking for neighbours may take: about two seconds
_ROOM = 1e-4  # relative, for a constant that was rounded when it was written down
_LABEL_ROUNDING = 2.0**-22  # relative: two labels rounded to float32, and some room
_BLOCK = 1 << 20  # float64 values of a step: 8 MiB


def box_fault(task: TaskSpec, spec: InstanceSpec) -> tuple[bool, str]:
    """Check the box's edges against an instance; reading task.toml checks that a reason is given.

    Returns
    -------
    ok, detail
    """
    low, high = task.box.log2_ops_low, task.box.log2_ops_high
    if not low < high:
        return False, f"expected log2_ops_low below log2_ops_high, got {low:g} and {high:g}; exchange the two"
    if high > _DEAREST:
        return (
            False,
            f"log2_ops_high: expected at most {_DEAREST:g}, got {high:g}; nobody can run what costs so much",
        )
    features = math.prod(spec.input_shape)
    linear = math.log2(2 * features)
    told = f"from 2^{low:g} to 2^{high:g} operations"
    if task.metric == "recall":
        return True, told
    if high < linear:
        what = (
            f"a linear model on {features} features costs 2^{linear:.2f} operations, dearer than 2^{high:g}"
        )
        return False, f"{what}, the edge of the box; raise log2_ops_high"
    return True, f"{told}; a linear model costs 2^{linear:.2f}"


def check_facts(spec: InstanceSpec, instance: Instance | None) -> tuple[bool, str]:
    """Check that facts are possible numbers, and that no sampled pair of rows exceeds the Lipschitz constant.

    Parameters
    ----------
    spec
        The declaration. Its ``lipschitz`` is a constant for Euclidean distance.
    instance
        The data; None if they cannot be loaded: then only the numbers are checked.

    Returns
    -------
    ok, detail
    """
    for name, value in spec.facts.items():
        if not math.isfinite(value):
            return False, f"{name}: expected a finite number, got {value}; remove it, or mend it"
    bayes, constant = spec.facts.get("bayes_accuracy"), spec.facts.get("lipschitz")
    if bayes is not None and not 0.0 < bayes <= 1.0:
        return False, f"bayes_accuracy: expected more than 0 and at most 1, got {bayes:g}; mend it"
    if constant is not None and not constant > 0.0:
        return False, f"lipschitz: expected more than 0, got {constant:g}; mend it"
    told = ", ".join(f"{name} {value:g}" for name, value in spec.facts.items()) or "none are told"
    if constant is None or instance is None:
        return True, told
    return _lipschitz(constant, told, instance)


def _lipschitz(constant: float, told: str, instance: Instance) -> tuple[bool, str]:
    train = instance.train
    steepest = 0.0
    for i, j in _pairs(train, stream("check", instance.task, instance.name)):
        y, z = train.y[i].astype(np.float64), train.y[j].astype(np.float64)
        rise = np.abs(y - z) - _LABEL_ROUNDING * np.maximum(np.abs(y), np.abs(z))
        rises = rise > 0.0
        with np.errstate(divide="ignore"):  # equal inputs with different labels are infinitely steep
            slopes = rise[rises] / np.sqrt(_squares(train, i[rises], j[rises]))
        steepest = max(steepest, float(np.max(slopes, initial=0.0)))
    if steepest > constant * (1.0 + _ROOM):
        what = f"expected at most {constant:g}, got two rows of train that rise by {steepest:.6g}"
        return False, f"lipschitz: {what} times their distance; raise the constant, or mend the target"
    return True, f"{told}; the steepest of the sampled pairs of train rises by {steepest:.4g}"


def _pairs(split: Split, rng: np.random.Generator) -> Iterator[tuple[Int64, Int64]]:
    """Yield pairs of rows in blocks: random ones, and nearest neighbours, which show the steepest slopes."""
    rows, features = len(split), math.prod(split.x.shape[1:])
    step = max(1, _BLOCK // features)
    i, j = rng.integers(rows, size=(2, _PAIRS))
    for start in range(0, _PAIRS, step):
        yield i[start : start + step], j[start : start + step]
    most, neighbours = _NEIGHBOURS
    affordable = max(8, _DIFFERENCES // (rows * features))
    for row in rng.choice(rows, size=min(most, rows, affordable), replace=False):
        starts = range(0, rows, step)
        parts = [np.arange(start, min(start + step, rows)) for start in starts]
        squares = np.concatenate([_squares(split, part, np.array([row])) for part in parts])
        nearest = np.argsort(squares, kind="stable")[: neighbours + 1]
        yield nearest, np.full_like(nearest, row)


def _squares(split: Split, i: Int64, j: Int64) -> NDArray[np.float64]:
    """Return squared distances of rows i from rows j, or from one row j."""
    difference = (split.x[i].astype(np.float64) - split.x[j]).reshape(len(i), -1)
    return np.asarray(np.square(difference).sum(axis=1))


def check_size(task: TaskSpec, spec: InstanceSpec) -> tuple[bool, str]:
    """Report how many bytes an instance and its task keep in the task's folder: never a fault.

    Returns
    -------
    ok, detail
    """
    mine = _bytes(task, spec.files)
    total = _bytes(task, {file for other in task.own.values() for file in other.files})
    told = f"{mine / 1e6:.2f} MB in the folder, {total / 1e6:.2f} MB of the whole task"
    if total <= MANY_BYTES:
        return True, told
    mend = "set generated = true where data can be made on first use"
    return True, f"{told}, which is more than {MANY_BYTES / 1e6:g} MB; {mend}"


def _bytes(task: TaskSpec, files: Iterable[str]) -> int:
    paths = [task.folder / file for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())
