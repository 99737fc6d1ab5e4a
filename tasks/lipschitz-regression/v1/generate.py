"""Makes the targets and samples of lipschitz-regression@1.

Labels are computed in float64 with + - * / sqrt and comparisons of arrays, in a fixed order: those are
correctly rounded everywhere. Matrix products, sums and exponentials are not: they depend on the library
and the processor.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import run_generator, stream, uniform_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sparsebench.tasks import InstanceSpec

    Float64 = NDArray[np.float64]
    Target = Callable[[Float64], Float64]

REF = "lipschitz-regression@1"
ROWS = {"train": 16384, "valid": 2048, "test": 4096}
DIMENSIONS, DEGREE = 8, 4
PLANE, POINTS = 2, 10


def monomials(dimensions: int = DIMENSIONS, degree: int = DEGREE) -> list[tuple[int, ...]]:
    """List the monomials of at most a degree, each as its variables in ascending order; () is the constant 1.

    A monomial comes after the one that lacks its last variable. 8 variables, degree 4: 495 monomials.
    """
    return [
        variables
        for size in range(degree + 1)
        for variables in itertools.combinations_with_replacement(range(dimensions), size)
    ]


def polynomial_coefficients(rng: np.random.Generator) -> Float64:
    """Draw a coefficient for each monomial, uniform on [-1, 1), scaled so that sum |c| < 1.

    With S the sum before, it is S / (1 + S) after.
    """
    drawn = rng.uniform(-1.0, 1.0, len(monomials()))
    # math.fsum is correctly rounded, so it does not depend on the order or the machine.
    return drawn / (1.0 + math.fsum(abs(value) for value in drawn.tolist()))


def polynomial(coefficients: Float64, x: Float64) -> Float64:
    """Evaluate target (P) of Baykal et al. 2022: sum of c_m times monomial m; x ``(n, 8)`` → ``(n,)``."""
    values: dict[tuple[int, ...], Float64] = {(): np.ones(len(x))}
    total = np.zeros(len(x))
    for coefficient, variables in zip(coefficients, monomials(), strict=True):
        if variables:
            values[variables] = values[variables[:-1]] * x[:, variables[-1]]
        total += coefficient * values[variables]
    return total


def hypercube_values(rng: np.random.Generator) -> Float64:
    """Draw v_y = -1 or 1 for each of the 2^8 vertices; bit i of an index says whether y_i is 1."""
    return 2.0 * rng.integers(0, 2, size=2**DIMENSIONS) - 1.0


def hypercube(values: Float64, x: Float64) -> Float64:
    """Evaluate target (H) of Baykal et al. 2022: sum over y in {-1, 1}^8 of v_y prod (1 + y_i x_i) / 2.

    The sum is multilinear, so it is done a coordinate at a time: halve the table, last coordinate first.
    x ``(n, 8)`` → ``(n,)``; at a vertex y it is v_y exactly.
    """
    table = np.broadcast_to(values, (len(x), len(values)))
    for i in reversed(range(DIMENSIONS)):
        half = table.shape[1] // 2
        low, high = (1.0 - x[:, i : i + 1]) / 2.0, (1.0 + x[:, i : i + 1]) / 2.0
        table = table[:, :half] * low + table[:, half:] * high
    return table[:, 0]


def distance(points: Float64, x: Float64) -> Float64:
    """Evaluate the distance to the nearest of points ``(m, 2)``; x ``(n, 2)`` → ``(n,)``."""
    nearest = np.full(len(x), np.inf)
    for point in points:
        across, along = x[:, 0] - point[0], x[:, 1] - point[1]
        nearest = np.minimum(nearest, across * across + along * along)
    return np.sqrt(nearest)


def target(instance: str, seed: int) -> Target:
    """Draw an instance's target: a function from x ``(n, d)`` float64 to ``(n,)`` float64."""
    rng = stream(REF, instance, seed, "target")
    if instance == "polynomial":
        coefficients = polynomial_coefficients(rng)
        return lambda x: polynomial(coefficients, x)
    if instance == "hypercube":
        values = hypercube_values(rng)
        return lambda x: hypercube(values, x)
    points = rng.random((POINTS, PLANE))
    return lambda x: distance(points, x)


def inputs(instance: str, seed: int) -> NDArray[np.float32]:
    """Draw the rows of all splits, all distinct: U[0, 1)^2 for distance-2d, else U[-1, 1)^8."""
    rng, rows = stream(REF, instance, seed, "x"), sum(ROWS.values())
    planar = instance == "distance-2d"
    x = uniform_inputs(rng, (rows, PLANE), low=0) if planar else uniform_inputs(rng, (rows, DIMENSIONS))
    assert len(np.unique(x, axis=0)) == rows, "a test row must not appear in train or valid"
    return x


def build(spec: InstanceSpec) -> dict[str, dict[str, NDArray[np.int64] | NDArray[np.float32]]]:
    """Make an instance's three files; ids run through train, valid and test."""
    x = inputs(spec.name, spec.seed)
    y = target(spec.name, spec.seed)(x.astype(np.float64)).astype(np.float32)
    files, start = {}, 0
    for split, rows in ROWS.items():
        part = slice(start, start + rows)
        ids = np.arange(start, start + rows, dtype=np.int64)
        files[f"{spec.name}-{split}.parquet"] = {"id": ids, "x": x[part], "y": y[part]}
        start += rows
    return files


if __name__ == "__main__":
    run_generator(build, Path(__file__).parent)
