"""Oscillating targets: products of sines, and a sum of triangle waves at all scales."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from problem import ROWS, Problem, Streams, uniform_problem

from sparsebench.tasks.portable import sin2pi

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from problem import Sample

    Float64 = NDArray[np.float64]

LEVELS = 9
"""Triangle waves of periods 1, 1/2, ..., 2^-8."""
RATIO = 0.75
"""The height of each wave over that of the next longer one."""
CELLS = 2**18
"""Inputs of rough-1d are distinct multiples of 1 / CELLS: no test input is within 1e-6 of another."""


def sines(x: Float64) -> Float64:
    """Evaluate the product of sin(2 pi x_i); x ``(n, d)`` → ``(n,)``. Its Lipschitz constant is 2 pi.

    With p_i = sin^2(2 pi x_i), the squared length of the gradient is 4 pi^2 times the sum over i of
    (1 - p_i) times the product of the other p_j. That sum is the probability that exactly one of d
    independent events of probabilities p_j fails, so at most 1. It is 1 at x = (0, 1/4, ..., 1/4).
    """
    product = np.ones(len(x))
    for i in range(x.shape[1]):
        product = product * sin2pi(x[:, i])
    return product


def rough(phases: Float64, x: Float64) -> Float64:
    """Evaluate the sum over k < 9 of (3/4)^k t(2^k x + phase_k), t the distance to the nearest integer.

    With no phases and no end it is the curve of Takagi and Landsberg, continuous and nowhere
    differentiable. Wave k has slopes ±(3/2)^k: steeper the shorter it is. x ``(n, 1)`` → ``(n,)``.
    """
    total, height, frequency = np.zeros(len(x)), 1.0, 1.0
    for phase in phases:
        turns = frequency * x[:, 0] + phase
        total = total + height * np.abs(turns - np.rint(turns))
        height, frequency = height * RATIO, frequency * 2.0
    return total


def rough_lipschitz() -> float:
    """Sum the waves' slopes (3/2)^k, an exact number: 74.88671875 for 9 waves.

    It is attained, whatever the phases. By induction, the points where waves 0 to k all rise are, but for
    the ends of intervals, one of each residue modulo 2^-(k+1): so they have positive measure, and wave
    k + 1, whose period that is, rises on one of each residue modulo 2^-(k+2) of them.
    """
    return math.fsum((2.0 * RATIO) ** k for k in range(LEVELS))


def sines_problem(dimensions: int, streams: Streams) -> Problem:
    """Pose ``sin-nd``: the product of sines, x ~ U[0, 1)^n."""
    return uniform_problem(streams, dimensions, sines, lambda: 2.0 * math.pi, low=0)


def rough_problem(streams: Streams) -> Problem:
    """Pose ``rough-1d``: the triangle waves with random phases, x one of 2^18 points of [0, 1), each once.

    Uniform float32 values would not do: among so many in one dimension, some are all but equal.
    """
    function = partial(rough, streams("target").random(LEVELS))

    def stored() -> NDArray[np.int64]:
        return streams("x").choice(CELLS, size=sum(ROWS), replace=False)

    def at(cells: NDArray[np.int64]) -> Sample:
        x = (cells / CELLS)[:, np.newaxis]
        return x.astype(np.float32), function(x)  # 18 bits: float32 holds them exactly

    def draw(rng: np.random.Generator, n: int) -> Sample:
        others = np.delete(np.arange(CELLS), stored())
        return at(rng.choice(others, size=n, replace=False))

    return Problem(lambda: at(stored()), function, rough_lipschitz, draw=draw)


PROBLEMS = {
    "sin-2d": partial(sines_problem, 2),
    "sin-3d": partial(sines_problem, 3),
    "rough-1d": rough_problem,
}
