"""Inputs on a line: which of many random projections is the best for what is built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["DIRECTIONS", "best_direction", "steepness"]

DIRECTIONS = 256
"""How many random directions are tried."""


def best_direction(
    x: NDArray[Any], y: NDArray[Any], hardness: Callable[[Floats, Floats], float], rng: np.random.Generator
) -> Floats:
    """Give the random direction along which something is the least hard to build, the first of equals.

    Parameters
    ----------
    x, y
        Inputs ``(n, r)`` and labels ``(n,)``.
    hardness
        Of projections ``(n,)``, ascending, with their labels.
    rng
        Source of the directions.

    Returns
    -------
    numpy.ndarray
        ``(r,)`` float64.
    """

    def of(direction: Floats) -> float:
        t = x @ direction
        order = np.argsort(t)
        return hardness(t[order], y[order])

    return min(rng.standard_normal((DIRECTIONS, x.shape[1])), key=of)


def steepness(t: Floats, y: Floats) -> float:
    """Say how steep a piecewise linear interpolant is in all: what its rounding errors grow with."""
    return float(np.linalg.norm(np.diff(y) / np.diff(t)) * np.ptp(t))
