"""Hyperplane LSH: the sides of random hyperplanes pick a bucket, and a bucket holds an affine function."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from even_planes import even_planes
from sparsebench import ops


class LshAffine(sb.Routed):
    """The affine function of the input's bucket: LSH(d, 1, m, 1) of Baykal et al.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    planes
        Hyperplanes (m): there are 2**m buckets.
    ridge
        Weight of the global affine fit in every bucket, in samples.
    """

    def __init__(self, task: sb.TaskInfo, *, planes: int, ridge: float = 0.1) -> None:
        super().__init__(HyperplaneRouter(planes), AffineExperts(2**planes, ridge))


class HyperplaneRouter(sb.Router):
    """Hash an input by the sides of hyperplanes that it lies on: 2d operations per plane."""

    def __init__(self, planes: int) -> None:
        self.planes = planes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw normals at random, and lay planes so that their buckets are even.

        Returns
        -------
        dict of str to numpy.ndarray
            ``planes``: float64 ``(m, d)``; ``offsets``: float64 ``(m,)``.
        """
        return even_planes(train.x, (self.planes,), rng)

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the bucket of every input, ``(n, 1)``."""
        return sb.Routes(experts=ops.hyperplane_hash(x, params["planes"], params["offsets"])[:, None])


class AffineExperts(sb.Experts):
    """One affine function per bucket."""

    def __init__(self, buckets: int, ridge: float) -> None:
        self.buckets = buckets
        self.ridge = ridge

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
    ) -> dict[str, np.ndarray]:
        """Fit every bucket by itself, pulled towards the global fit.

        Returns
        -------
        dict of str to numpy.ndarray
            ``slopes``: float64 ``(2**m, 1, d)``; ``intercepts``: float64 ``(2**m, 1)``.
        """
        functions = fit_affine(routes.experts[:, 0], train.x, train.y, self.buckets, self.ridge)
        return {"slopes": functions[:, None, :-1], "intercepts": functions[:, -1:]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate one affine function per input: ``(n,)`` float64."""
        return ops.grouped_linear(x, routes.experts[:, 0], params["slopes"], params["intercepts"])[:, 0]


def fit_affine(cell: np.ndarray, x: np.ndarray, y: np.ndarray, cells: int, ridge: float) -> np.ndarray:
    """Fit one affine function per cell by ridge regression towards the affine fit of all samples.

    A cell with few samples stays close to the global fit, and a cell with none gets the global fit itself.

    Parameters
    ----------
    cell
        Cell of every sample, int64 ``(n,)``.
    x, y
        Inputs ``(n, d)`` and labels ``(n,)``.
    cells
        How many cells there are.
    ridge
        Weight of the global fit, in samples.

    Returns
    -------
    numpy.ndarray
        ``(cells, d + 1)`` float64: slopes, then the intercept.
    """
    inputs = np.column_stack([x, np.ones(len(x))]).astype(np.float64)
    together = np.linalg.lstsq(inputs, y.astype(np.float64))[0]
    rest = y - inputs @ together
    functions = np.tile(together, (cells, 1))
    penalty = ridge * np.eye(inputs.shape[1])
    for own, rows in members(cell):
        a = inputs[rows]
        functions[own] += np.linalg.solve(a.T @ a + penalty, a.T @ rest[rows])
    return functions


def members(cell: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """List the cells that have samples, each with the numbers of its samples."""
    order = np.argsort(cell, kind="stable")
    seen, first = np.unique(cell[order], return_index=True)
    return list(zip(seen.tolist(), np.split(order, first[1:]), strict=True))
