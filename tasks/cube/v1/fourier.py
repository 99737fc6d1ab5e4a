"""The Fourier expansion of a target, which says what a kernel needs for it; exact, in integers.

Every f: {-1, 1}^n -> {-1, 1} is a sum over sets S of coordinates of f^(S) times the product of x_i over S,
and the f^(S)^2 add up to 1 (Parseval): f^(S)^2 is the *weight* of S, and its size is its *degree*. A kernel
that depends on <x, y> and norms alone, so on the cube on <x, y> alone, has these products as eigenfunctions,
with one eigenvalue for all products of a degree (Kothari, Livni, arXiv:1902.04782), C(n, d) of them.

All this is about the uniform distribution on the cube. f is 1 for class 0 and -1 for class 1.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from targets import Int64, Target


def weights(function: Target) -> list[Fraction]:
    """Give the weight of each degree: index d has that of the sets of d coordinates. They add up to 1."""
    squares = coefficients(function) ** 2
    by_degree = [int(squares[sizes(len(squares)) == d].sum()) for d in range(len(function.relevant) + 1)]
    return [Fraction(weight, len(squares) ** 2) for weight in by_degree]


def influences(function: Target) -> list[Fraction]:
    """Give for each coordinate that the target reads the share of the cube where it alone decides."""
    squares = coefficients(function) ** 2
    reading = [int(squares.reshape(-1, 2, 1 << j)[:, 1].sum()) for j in range(len(function.relevant))]
    return [Fraction(weight, len(squares) ** 2) for weight in reading]


def ones(function: Target) -> Fraction:
    """Give the share of the cube that is in class 1."""
    values = coefficients(function)
    return (1 - Fraction(int(values[0]), len(values))) / 2


@functools.lru_cache(maxsize=1)  # several figures are made of those of one target
def coefficients(function: Target) -> Int64:
    """Give 2^r f^(S) for every set S of the r coordinates that the target reads: ``(2^r,)``.

    Bit j of an index tells whether S has the j-th of them. By the fast Walsh-Hadamard transform of the truth
    table.
    """
    relevant = function.relevant
    points = np.arange(1 << len(relevant), dtype=np.uint64)
    codes = np.zeros_like(points)
    for j, place in enumerate(relevant.tolist()):
        codes |= ((points >> np.uint64(j)) & np.uint64(1)) << np.uint64(place)
    values = 1 - 2 * function.labels(codes)
    for j in range(len(relevant)):
        pairs = values.reshape(-1, 2, 1 << j)
        minus, plus = pairs[:, 0], pairs[:, 1]
        values = np.stack([plus + minus, plus - minus], axis=1).reshape(-1)
    values.setflags(write=False)
    return values


def sizes(sets: int) -> Int64:
    """Give the numbers of ones of 0, 1, 2, … below a power of two: ``(sets,)``."""
    counts = np.zeros(1, dtype=np.int64)
    while len(counts) < sets:
        counts = np.concatenate([counts, counts + 1])
    return counts


def kernel_dimension(function: Target, n: int) -> int:
    """Add up C(n, d) over the degrees d that have weight: the eigenspaces that the target has parts in."""
    return sum(math.comb(n, d) for d, weight in enumerate(weights(function)) if weight)
