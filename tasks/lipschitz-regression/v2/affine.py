"""The largest of 64 affine functions, on normal inputs: a target whose natural experts are its pieces.

f(x) = max_j (a_j . x + b_j). Slopes come in 8 groups of 8: a_j is twice a vector of its group plus a vector
of its own. So a model that finds the groups is good, and one that finds the pieces is exact. Offsets are
balanced: each piece is the largest for about one input in 64.

Everything is an integer over a power of two: inputs over 2^17, slopes over 2^8 or 2^9, values over their
product. All sums stay below 2^53, so float64 holds each of them exactly, and every order of summation gives
the same bits: that is why a matrix product may be used here.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.tasks.generation import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64 = NDArray[np.int64]
    Float32 = NDArray[np.float32]
    Float64 = NDArray[np.float64]

REF = "lipschitz-regression@2"
PIECES, GROUPS = 64, 8
LEVELS = 64
"""The vectors that slopes are made of have whole entries from -64 to 64, uniform."""
UNITS = {16: 1 << 8, 64: 1 << 9}
"""Dimension → what slopes are divided by: their lengths are about 1 in both."""
INPUT_UNIT = 1 << 17
SUMMANDS = 16
"""Uniform numbers whose sum is a coordinate."""
DRAWS, ROUNDS = 8192, 100
"""Inputs on which offsets are balanced, and how often they are corrected."""


@dataclass(frozen=True, slots=True, eq=False)
class MaxAffine:
    """A target, in integers."""

    slopes: Int64
    """``(64, d)``: a_j times `unit`."""
    offsets: Int64
    """``(64,)``: b_j times `unit` times `INPUT_UNIT`."""
    unit: int
    """A power of two."""

    def scores(self, x: Float64) -> Float64:
        """Return a_j . x + b_j of every piece: x ``(n, d)`` → ``(n, 64)``, exact."""
        return (x @ self.slopes.T.astype(np.float64) + self.offsets / INPUT_UNIT) / self.unit

    def __call__(self, x: Float64) -> Float64:
        """Return f(x): ``(n, d)`` → ``(n,)``, exact for inputs that are multiples of 2^-17."""
        return self.scores(x).max(axis=1)

    def pieces(self, x: Float64) -> Int64:
        """Return the oracle's route: the piece that is largest at each x; ``(n, d)`` → ``(n,)``."""
        return self.scores(x).argmax(axis=1)

    def lipschitz(self) -> float:
        """Return the exact Lipschitz constant where every piece is largest somewhere: max_j |a_j|.

        |max_j u_j - max_j v_j| <= max_j |u_j - v_j|, so it is a bound. Where the steepest piece is strictly
        the largest at some x, it is so around x too, and f rises by |a_j| there.
        """
        return max(math.sqrt(squares) for squares in (self.slopes**2).sum(axis=1).tolist()) / self.unit


def oracle_operations(dimensions: int) -> int:
    """Count what f costs as it is written: 64 inner products, 64 additions of b_j, 63 comparisons."""
    return PIECES * (2 * dimensions - 1) + PIECES + PIECES - 1


def normal_inputs(rng: np.random.Generator, n: int, dimensions: int) -> Float32:
    """Draw inputs ``(n, d)``, all but normal, with the mean 0 and the variance 1/3 of U[-1, 1]^d.

    A coordinate is the sum of 16 numbers uniform on [-1/4, 1/4), of variance 1/48 each (Irwin and Hall): its
    kurtosis is 2.925 where a normal number's is 3. A sum of integers is exact, and `integers` is a simpler
    promise than a library's logarithms.
    """
    total = np.zeros((n, dimensions), dtype=np.int64)
    for _ in range(SUMMANDS):
        total += rng.integers(0, 1 << 16, size=(n, dimensions))
    centred = total - SUMMANDS * ((1 << 16) - 1) // 2
    return (centred / INPUT_UNIT).astype(np.float32)


@functools.lru_cache(maxsize=4)  # balancing takes longer than a thousand inputs
def max_affine(instance: str, seed: int | None, dimensions: int) -> MaxAffine:
    """Draw an instance's slopes, and balance its offsets."""
    rng = stream(REF, instance, seed, "slopes")
    groups, own = (rng.integers(-LEVELS, LEVELS + 1, size=(count, dimensions)) for count in (GROUPS, PIECES))
    slopes = 2 * np.repeat(groups, PIECES // GROUPS, axis=0) + own
    unset = MaxAffine(slopes, np.zeros(PIECES, dtype=np.int64), UNITS[dimensions])
    x = normal_inputs(stream(REF, instance, seed, "offsets"), DRAWS, dimensions).astype(np.float64)
    return MaxAffine(slopes, balanced(unset, x), unset.unit)


def balanced(target: MaxAffine, x: Float64) -> Int64:
    """Find offsets with which every piece is the largest at about as many of the inputs x.

    The offset of a piece that is hit too often is lowered, in steps that become smaller; in integers.
    """
    one = target.unit * INPUT_UNIT
    scores = target.scores(x) * one
    offsets = np.zeros(PIECES, dtype=np.int64)
    for step in range(ROUNDS):
        hits = np.bincount((scores + offsets).argmax(axis=1), minlength=PIECES)
        excess = PIECES * hits - len(x)  # 0 where a piece has its share
        offsets -= excess * (one // (3 + step // 3)) // len(x)
    return offsets
