"""Nearest prototype: an input goes to the closest of N prototypes, which holds an affine function."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from sparsebench import ops


class NearestPrototype(sb.Routed):
    """Affine experts on a farthest-point net, each responsible for the inputs nearest to its prototype.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    prototypes
        How many prototypes, and so experts, there are (N).
    ridge
        Weight of the global affine fit in every cell, in samples.
    """

    def __init__(self, task: sb.TaskInfo, *, prototypes: int, ridge: float = 0.01) -> None:
        super().__init__(PrototypeRouter(prototypes), AffineExperts(prototypes, ridge))


class PrototypeRouter(sb.Router):
    """Compare the distances to all prototypes: 3d operations each."""

    def __init__(self, prototypes: int) -> None:
        self.prototypes = prototypes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Spread the prototypes over the training inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            ``prototypes``: float64 ``(N, d)``.
        """
        return {"prototypes": farthest_points(train.x.astype(np.float64), self.prototypes, rng)}

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the nearest prototype of every input, ``(n, 1)``."""
        return sb.Routes(experts=ops.nearest_prototype(x, params["prototypes"])[:, None])


class AffineExperts(sb.Experts):
    """One affine function per cell."""

    def __init__(self, cells: int, ridge: float) -> None:
        self.cells = cells
        self.ridge = ridge

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
    ) -> dict[str, np.ndarray]:
        """Fit every cell by itself, pulled towards the global fit.

        Returns
        -------
        dict of str to numpy.ndarray
            ``slopes``: float64 ``(N, 1, d)``; ``intercepts``: float64 ``(N, 1)``.
        """
        functions = fit_affine(routes.experts[:, 0], train.x, train.y, self.cells, self.ridge)
        return {"slopes": functions[:, None, :-1], "intercepts": functions[:, -1:]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate one affine function per input: ``(n,)`` float64."""
        return ops.grouped_linear(x, routes.experts[:, 0], params["slopes"], params["intercepts"])[:, 0]


def farthest_points(x: np.ndarray, many: int, rng: np.random.Generator) -> np.ndarray:
    """Choose points greedily: a random one first, then always the one that is farthest from those chosen.

    The points are a δ-net of ``x`` for δ at most twice the least possible (Gonzalez 1985).

    Parameters
    ----------
    x
        ``(n, d)``.
    many
        How many to choose, at most n.
    rng
        Chooses the first.

    Returns
    -------
    numpy.ndarray
        ``(many, d)``.
    """
    chosen = [int(rng.integers(len(x)))]
    distance = np.full(len(x), np.inf)
    while len(chosen) < many:
        distance = np.minimum(distance, np.sum((x - x[chosen[-1]]) ** 2, axis=1))
        chosen.append(int(np.argmax(distance)))
    return x[chosen]


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
