"""Nearest prototype: an input goes to the closest of N, which holds affine functions or a label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from sparsebench import ops

if TYPE_CHECKING:
    from collections.abc import Sequence


RIDGES = (0.01, 1.0, 100.0)
"""Weights of the global fit in a cell, in samples, of which the validation split chooses one."""
NET, FITTED = 2**21, 2**23
"""Numbers in the inputs that a net is chosen from, and that functions are fitted to."""
PART = 2**15
"""Inputs that are routed at a time in ``fit``."""


class NearestPrototype(sb.Routed):
    """Experts on a farthest-point net, each responsible for the inputs nearest to its prototype.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, None where labels are real, and whether labels are to
        be recalled. Real labels are recalled by labels, which functions never meet to the last digit.
    prototypes
        How many prototypes, and so experts, there are (N).
    """

    def __init__(self, task: sb.TaskInfo, *, prototypes: int) -> None:
        self.cells = prototypes
        self.classes = task.classes
        self.recall = task.metric == "recall" and task.classes is None
        super().__init__(PrototypeRouter(prototypes), LabelExperts() if self.recall else AffineExperts())

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Fit the router, and then every expert by itself.

        Returns
        -------
        dict of str to numpy.ndarray
            ``twice`` and ``norms`` as the router has them. Where real labels are to be recalled ``labels``:
            ``(N,)``. Else ``slopes``: ``(N, c, d)`` and ``intercepts``: ``(N, c)``, float64 and c = 1 where
            labels are real, float32 and a score of each of c classes otherwise.
        """
        routing = self.router.fit(train, valid, rng)
        if self.recall:
            cell = self._cells(routing, train.x)
            return routing | {"labels": labels_of(cell, train.y, self.cells)}
        x, y = some_of(train, FITTED, rng)
        cell = self._cells(routing, x)
        targets = y[:, None] if self.classes is None else np.eye(self.classes)[y]
        checks = self.router.route(routing, valid.x)
        fits = []
        for functions in fit_affine(cell, x, targets, self.cells, RIDGES):
            stored = functions.astype(np.float64 if self.classes is None else np.float32)
            fits.append({"slopes": stored[..., :-1], "intercepts": stored[..., -1]})
        wrong = [misfit(self.experts.apply(fit, valid.x, checks), valid.y) for fit in fits]
        return routing | fits[int(np.argmin(wrong))]

    def _cells(self, routing: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
        """Route in parts, each of few enough inputs for their N products to fit into memory."""
        ends = range(PART, len(x), PART)
        return np.concatenate([self.router.route(routing, some).experts[:, 0] for some in np.split(x, ends)])


class PrototypeRouter(sb.Router):
    """Compare the distances to all prototypes: 2d operations each.

    The nearest prototype p has the largest ``2 p @ x - p @ p``, which is the squared norm of x less its
    squared distance; ``ops.nearest_prototype``, which subtracts first, costs 3d for each.
    """

    def __init__(self, prototypes: int) -> None:
        self.prototypes = prototypes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Spread the prototypes over the training inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            ``twice``: float64 ``(N, d)``, the prototypes times 2; ``norms``: float64 ``(N,)``, their negative
            squared norms.
        """
        x, _ = some_of(train, NET, rng)
        prototypes = farthest_points(x.astype(np.float64), self.prototypes, rng)
        return {"twice": 2 * prototypes, "norms": -np.sum(prototypes**2, axis=1)}

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the nearest prototype of every input, ``(n, 1)``."""
        closeness = flatten(x) @ params["twice"].T + params["norms"]
        return sb.Routes(experts=x.__array_namespace__().argmax(closeness, axis=1)[:, None])


class AffineExperts(sb.Experts):
    """An affine function per cell, or one for every class, of which the largest decides."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate the functions of one cell per input: ``(n,)``, float64 or classes."""
        told = ops.grouped_linear(flatten(x), routes.experts[:, 0], params["slopes"], params["intercepts"])
        return told[:, 0] if told.shape[1] == 1 else x.__array_namespace__().argmax(told, axis=1)


class LabelExperts(sb.Experts):
    """One real label per cell."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Look one label per input up: ``(n,)``, float32."""
        return ops.gather(routes.experts[:, 0], params["labels"])


def some_of(train: sb.Split, numbers: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give samples whose inputs are at most so many numbers: all of them, or some at random."""
    x, y = flatten(train.x), train.y
    many = numbers // x.shape[1]
    if len(x) <= many:
        return x, y
    rows = rng.choice(len(x), many, replace=False)
    return x[rows], y[rows]


def labels_of(cell: np.ndarray, y: np.ndarray, cells: int) -> np.ndarray:
    """Give the label that most samples of a cell have, the least of equals.

    Parameters
    ----------
    cell
        Cell of every sample, ``(n,)``; every cell has one at least, its prototype.
    y
        Labels, ``(n,)``.
    cells
        How many cells there are.
    """
    labels = np.zeros(cells, dtype=y.dtype)
    for own, rows in members(cell):
        values, often = np.unique(y[rows], return_counts=True)
        labels[own] = values[np.argmax(often)]
    return labels


def misfit(told: np.ndarray, y: np.ndarray) -> float:
    """Give the mean squared error of real answers, or the share of wrong classes."""
    return float(np.mean(told != y) if y.dtype.kind == "i" else np.mean((told - y) ** 2))


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))


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


def fit_affine(
    cell: np.ndarray, x: np.ndarray, y: np.ndarray, cells: int, ridges: Sequence[float]
) -> list[np.ndarray]:
    """Fit affine functions per cell by ridge regression towards the affine fit of all samples.

    A cell with few samples stays close to the global fit, and a cell with none gets the global fit itself.

    Parameters
    ----------
    cell
        Cell of every sample, int64 ``(n,)``.
    x, y
        Inputs ``(n, d)`` and targets ``(n, c)``.
    cells
        How many cells there are.
    ridges
        Weights of the global fit, in samples.

    Returns
    -------
    list of numpy.ndarray
        For every weight float64 ``(cells, c, d + 1)``: slopes, then the intercept.
    """
    inputs = np.column_stack([x, np.ones(len(x))]).astype(np.float64)
    faint = 1e-9 * len(x)  # features that never vary are no trouble
    (together,) = ridge_solutions(inputs, y.astype(np.float64), [faint])
    rest = y - inputs @ together
    fits = [np.tile(together, (cells, 1, 1)) for _ in ridges]
    for own, rows in members(cell):
        for functions, solution in zip(fits, ridge_solutions(inputs[rows], rest[rows], ridges), strict=True):
            functions[own] += solution
    return [np.swapaxes(functions, 1, 2) for functions in fits]


def ridge_solutions(a: np.ndarray, y: np.ndarray, ridges: Sequence[float]) -> list[np.ndarray]:
    """Regress ``(n, c)`` on ``(n, f)`` with penalties, by the smaller of the two systems that say so."""
    wide = len(a) < a.shape[1]
    gram, moment = (a @ a.T, y) if wide else (a.T @ a, a.T @ y)
    solved = [np.linalg.solve(gram + ridge * np.eye(len(gram)), moment) for ridge in ridges]
    return [a.T @ one for one in solved] if wide else solved


def members(cell: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """List the cells that have samples, each with the numbers of its samples."""
    order = np.argsort(cell, kind="stable")
    seen, first = np.unique(cell[order], return_index=True)
    return list(zip(seen.tolist(), np.split(order, first[1:]), strict=True))
