"""Experts on a net of prototypes: how the largest error falls with their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__ = ["cell_errors", "farthest_points", "nearest"]

_RIDGE = 1e-9  # of the mean of the squared coordinates: cells with few samples have a solution


def farthest_points(x: Floats, most: int, wanted: Iterable[int]) -> Iterator[tuple[Floats, Rows]]:
    """Place prototypes one after the other, each at the input that is farthest from those before it.

    Such a net of N points has cells of nearly the least radius (Gonzalez 1985: at most twice that).

    Parameters
    ----------
    x
        Inputs ``(n, d)``.
    most
        How many are placed.
    wanted
        Numbers of prototypes, ascending, at which the net is given.

    Yields
    ------
    prototypes
        ``(N, d)``.
    own
        The nearest of them to each input, ``(n,)``.
    """
    stops = set(wanted)
    chosen = [int(np.argmin(np.sum((x - x.mean(axis=0)) ** 2, axis=1)))]
    own = np.zeros(len(x), dtype=np.int64)
    squares = np.sum((x - x[chosen[0]]) ** 2, axis=1)
    for many in range(1, most + 1):
        if many in stops:
            yield x[chosen], own.copy()
        farthest = int(np.argmax(squares))
        chosen.append(farthest)
        other = np.sum((x - x[farthest]) ** 2, axis=1)
        nearer = other < squares
        own[nearer] = many
        squares[nearer] = other[nearer]


def nearest(x: Floats, prototypes: Floats) -> Rows:
    """Return the nearest prototype to each input, ``(n,)``."""
    lengths = np.sum(prototypes**2, axis=1)
    blocks = [np.argmin(lengths - 2 * part @ prototypes.T, axis=1) for part in np.array_split(x, 16)]
    return np.concatenate(blocks).astype(np.int64)


def cell_errors(
    train: tuple[Floats, Floats, Rows], test: tuple[Floats, Floats, Rows], many: int, *, affine: bool
) -> float:
    """Fit one function for each cell by least squares, and return the largest error.

    Parameters
    ----------
    train, test
        Inputs ``(n, d)``, labels ``(n,)``, and the cell of each.
    many
        Cells.
    affine
        Whether functions are affine; otherwise constant.
    """
    x, y, own = train
    ones = np.ones((len(x), 1))
    features = np.hstack([ones, x]) if affine else ones
    size = features.shape[1]
    gram = np.zeros((many, size, size))
    right = np.zeros((many, size))
    products = features[:, :, None] * features[:, None, :]
    np.add.at(gram, own, products)
    np.add.at(right, own, features * y[:, None])
    gram += _RIDGE * np.eye(size) * np.maximum(gram[:, :1, :1], 1.0)
    found: NDArray[Any] = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    seen = np.hstack([np.ones((len(test[0]), 1)), test[0]]) if affine else np.ones((len(test[0]), 1))
    return float(np.max(np.abs(np.sum(seen * found[test[2]], axis=1) - test[1])))
