"""Makes the targets and samples of lipschitz-regression@1: a table of names, and the cut into splits.

Labels are computed in float64 with + - * / sqrt and comparisons of arrays, in a fixed order: those are
correctly rounded everywhere. Matrix products, sums and exponentials are not: they depend on the library
and the processor. Sines and exponentials come from `sparsebench.tasks.portable`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import algebraic
import convac
import earth
import grids
import manifolds
import metric
import numpy as np
import waves
from problem import Problem, Streams

from sparsebench.tasks.generation import run_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from problem import Target

    from sparsebench.tasks import InstanceSpec

PROBLEMS = {
    name: problem
    for module in (algebraic, metric, waves, grids, manifolds, convac, earth)
    for name, problem in module.PROBLEMS.items()
}
"""Name of an instance → from its random streams to what it is."""


def problem(instance: str, seed: int) -> Problem:
    """Draw an instance's target; its samples are drawn when asked for."""
    return PROBLEMS[instance](Streams(instance, seed))


def target(instance: str, seed: int) -> Target | None:
    """Draw an instance's target: x ``(n, d)`` float64 → ``(n,)``; None where x alone does not tell it."""
    return problem(instance, seed).function


def lipschitz(instance: str, seed: int) -> float | None:
    """Return the certified Lipschitz constant of an instance's target; None for real data."""
    bound = problem(instance, seed).lipschitz
    return None if bound is None else bound()


def build(spec: InstanceSpec) -> dict[str, dict[str, NDArray[np.int64] | NDArray[np.float32]]]:
    """Make an instance's three files; ids run through train, valid and test."""
    drawn = problem(spec.name, spec.seed)
    x, labels = drawn.sample()
    y = labels.astype(np.float32)
    assert len(np.unique(x, axis=0)) == len(x) == sum(drawn.rows), "a test row must not appear in train"
    files, start = {}, 0
    for split, rows in zip(("train", "valid", "test"), drawn.rows, strict=True):
        part = slice(start, start + rows)
        ids = np.arange(start, start + rows, dtype=np.int64)
        files[f"{spec.name}-{split}.parquet"] = {"id": ids, "x": x[part], "y": y[part]}
        start += rows
    return files


def fresh(spec: InstanceSpec, rng: np.random.Generator, n: int) -> dict[str, NDArray[np.float32]] | None:
    """Draw new inputs of an instance's target and label them: columns ``x`` and ``y`` of n rows.

    They are in no split, and distributed as those that are. None for the fields of the Earth, and for the
    grids, of which every point is in a split.
    """
    draw = problem(spec.name, spec.seed).draw
    if draw is None:
        return None
    x, labels = draw(rng, n)
    return {"x": x, "y": labels.astype(np.float32)}


def label(spec: InstanceSpec, x: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Label stored inputs ``(n, d)`` again, ``(n,)``; None for real data.

    The same bits as when they were drawn, but of the ``curved`` instances: there x tells the latent point to
    within its own rounding to float32.
    """
    drawn = problem(spec.name, spec.seed)
    labels = drawn.function or drawn.relabel
    return None if labels is None else labels(x.astype(np.float64)).astype(np.float32)


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
