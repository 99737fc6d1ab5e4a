"""Polynomial and multilinear targets in 8 variables: (P) and (H) of Baykal et al., NeurIPS 2022."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from problem import Problem, Streams, uniform_problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]

DIMENSIONS, DEGREE = 8, 4


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


def polynomial_lipschitz(coefficients: Float64) -> float:
    """Bound the steepness of (P) on [-1, 1]^8 by the sum of |c_m| sqrt(sum of a_i^2).

    The derivative of x^a by x_i is a_i x^(a - e_i), at most a_i in absolute value there, so the gradient of
    a monomial is at most sqrt(sum of a_i^2) long; the gradients add up by the triangle inequality. Not
    tight: with signs at random the gradients of the monomials point everywhere.
    """
    terms = zip(coefficients.tolist(), monomials(), strict=True)
    return math.fsum(abs(c) * math.sqrt(sum(a * a for a in Counter(m).values())) for c, m in terms)


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


def hypercube_lipschitz(values: Float64) -> float:
    """Find the exact Lipschitz constant of (H) on [-1, 1]^8.

    In x_j alone every partial derivative is affine, so the squared length of the gradient, a sum of their
    squares, is convex in each coordinate by itself: its largest value is at a vertex. There the derivative
    by x_i is half the difference between the vertex and its neighbour along i.
    """
    index = np.arange(len(values))
    steps = [(values[index | 1 << i] - values[index & ~(1 << i)]) / 2.0 for i in range(DIMENSIONS)]
    return max(math.sqrt(math.fsum(s * s for s in vertex)) for vertex in np.stack(steps, axis=1).tolist())


def polynomial_problem(streams: Streams) -> Problem:
    """Pose ``polynomial``: (P) with random coefficients, x ~ U[-1, 1)^8."""
    coefficients = polynomial_coefficients(streams("target"))
    function, bound = partial(polynomial, coefficients), partial(polynomial_lipschitz, coefficients)
    return uniform_problem(streams, DIMENSIONS, function, bound)


def hypercube_problem(streams: Streams) -> Problem:
    """Pose ``hypercube``: (H) with random signs, x ~ U[-1, 1)^8."""
    values = hypercube_values(streams("target"))
    function, bound = partial(hypercube, values), partial(hypercube_lipschitz, values)
    return uniform_problem(streams, DIMENSIONS, function, bound)


PROBLEMS = {"polynomial": polynomial_problem, "hypercube": hypercube_problem}
