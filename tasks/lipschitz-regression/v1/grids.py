"""Two test functions of optimisation, on every point of a regular grid of 128 x 128."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from problem import Problem, Streams

from sparsebench.tasks.portable import cos2pi, exp

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from problem import Sample, Target

    Float64 = NDArray[np.float64]

SIDE = 128
ROWS = (11469, 1638, 3277)
"""70, 10 and 20 % of the 16,384 points."""
ACKLEY_REACH = 5.0
"""Half the width of Ackley's domain here. On the customary 32.768 there would be two points a ripple."""
RASTRIGIN_REACH = 5.12
"""Half the width of Rastrigin's domain, the whole customary one: 12.5 points a ripple."""


def grid() -> Float64:
    """List the centres of 128 x 128 equal cells of [-1, 1]^2, ``(16384, 2)``: odd multiples of 1/128."""
    axis = (2.0 * np.arange(SIDE) - (SIDE - 1)) / SIDE
    return np.stack([np.repeat(axis, SIDE), np.tile(axis, SIDE)], axis=1)


def ackley(x: Float64) -> Float64:
    """Evaluate Ackley's function in 2 variables at 5 x; x ``(n, 2)`` in [-1, 1] → ``(n,)``.

    20 + e - 20 exp(-0.2 sqrt((a^2 + b^2) / 2)) - exp((cos 2 pi a + cos 2 pi b) / 2), with (a, b) = 5 x:
    a cone in the middle of a wide funnel, under ripples of period 1.
    """
    a, b = ACKLEY_REACH * x[:, 0], ACKLEY_REACH * x[:, 1]
    funnel = 20.0 * exp(-0.2 * np.sqrt((a * a + b * b) / 2.0))
    ripples = exp((cos2pi(a) + cos2pi(b)) / 2.0)
    return ((20.0 + math.e) - funnel) - ripples


def ackley_lipschitz() -> float:
    """Bound Ackley's slope by 5 (2 sqrt 2 + sqrt(2 g) pi e^g), where g = (sqrt 5 - 1) / 2.

    The funnel's gradient points outward and is 2 sqrt 2 exp(-0.2 r / sqrt 2) long, at most 2 sqrt 2. The
    ripples' is pi exp((A + B) / 2) sqrt(2 - A^2 - B^2) long, with cosines A and B. For a given A + B it
    is longest at A = B, and pi e^A sqrt(2 - 2 A^2) is longest where A^2 + A = 1, at A = g, where
    1 - A^2 = g. Almost tight: both point the same way, and are nearly as long, at (0.144, 0.144).
    """
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    return ACKLEY_REACH * (2.0 * math.sqrt(2.0) + math.sqrt(2.0 * golden) * math.pi * math.exp(golden))


def rastrigin(x: Float64) -> Float64:
    """Evaluate Rastrigin's function in 2 variables at 5.12 x; x ``(n, 2)`` in [-1, 1] → ``(n,)``.

    20 + a^2 - 10 cos 2 pi a + b^2 - 10 cos 2 pi b, with (a, b) = 5.12 x.
    """
    a, b = RASTRIGIN_REACH * x[:, 0], RASTRIGIN_REACH * x[:, 1]
    return ((20.0 + a * a) - 10.0 * cos2pi(a)) + (b * b - 10.0 * cos2pi(b))


def rastrigin_lipschitz() -> float:
    """Bound Rastrigin's slope on [-1, 1]^2 by 5.12 sqrt 2 (10.24 + 20 pi).

    The derivative by a is 2 a + 20 pi sin 2 pi a, and |a| <= 5.12. Almost tight: the sine is 1 at 4.25.
    """
    return RASTRIGIN_REACH * math.sqrt(2.0) * (2.0 * RASTRIGIN_REACH + 20.0 * math.pi)


def grid_problem(function: Target, lipschitz: Callable[[], float], streams: Streams) -> Problem:
    """Pose a function on the grid, its points in random order: each is in one split, none is left over."""

    def sample() -> Sample:
        x = grid()[streams("x").permutation(SIDE * SIDE)]
        return x.astype(np.float32), function(x)  # multiples of 1/128: float32 holds them exactly

    return Problem(sample, function, lipschitz, ROWS)


PROBLEMS = {
    "ackley": partial(grid_problem, ackley, ackley_lipschitz),
    "rastrigin": partial(grid_problem, rastrigin, rastrigin_lipschitz),
}
