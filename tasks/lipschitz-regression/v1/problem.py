"""What an instance of lipschitz-regression@1 is made of, and how its random streams are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import stream, uniform_inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Float32 = NDArray[np.float32]
    Float64 = NDArray[np.float64]
    Target = Callable[[Float64], Float64]
    Sample = tuple[Float32, Float64]

REF = "lipschitz-regression@1"
ROWS = (16384, 2048, 4096)
"""Rows to train, to validate and to test, where nothing else is said."""


@dataclass(frozen=True)
class Streams:
    """The random streams of one instance, by what they are for."""

    instance: str
    seed: int

    def __call__(self, purpose: str, *, family: str = "") -> np.random.Generator:
        """Open a stream; instances of a family that share a draw (and a seed) name the family instead."""
        return stream(REF, family or self.instance, self.seed, purpose)


@dataclass(frozen=True)
class Problem:
    """A target function, its certified Lipschitz constant, and ways to draw samples."""

    sample: Callable[[], Sample]
    """Draw the rows of all splits: x ``(n, d)`` and labels ``(n,)``, not yet rounded to float32."""
    function: Target | None = None
    """From x ``(n, d)`` float64 to ``(n,)`` float64, where the target has a formula in x."""
    lipschitz: Callable[[], float] | None = None
    """Prove a bound on |f(x) - f(z)| / |x - z|, Euclidean; None for real data."""
    rows: tuple[int, int, int] = ROWS
    """How many of the rows are for train, valid and test, in that order."""
    draw: Callable[[np.random.Generator, int], Sample] | None = None
    """Draw n rows that are in no split, distributed as those that are; None where there are no others."""
    relabel: Target | None = None
    """From x ``(n, d)`` float64 as stored to labels, to within the rounding of x to float32: where there is
    no ``function``."""


def uniform_problem(
    streams: Streams, dimensions: int, function: Target, lipschitz: Callable[[], float], *, low: int = -1
) -> Problem:
    """Pose a function on inputs that are uniform on [low, 1)^d, low = -1 or 0."""

    def draw(rng: np.random.Generator, n: int) -> Sample:
        x = uniform_inputs(rng, (n, dimensions), low=low)
        return x, function(x.astype(np.float64))

    return Problem(lambda: draw(streams("x"), sum(ROWS)), function, lipschitz, draw=draw)
