"""Mixture of small MLPs: a binary tree of prototypes sends an input to exactly one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from sparsebench import ops
from stacked_mlps import Part, Training, fit_stacked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

ROUNDS = 12
"""Of Lloyd's algorithm, at every node."""

FEWEST = 16
"""Samples of an expert: where its cell has fewer, it gets the training inputs nearest to its prototype."""

LAYERS = ("hidden_weights", "hidden_biases", "weights", "biases")


class MoMlp(sb.Routed):
    """One hidden layer of ReLUs per cell of a complete binary tree of prototypes.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    depth
        Levels of the tree: there are ``2**depth`` experts.
    width
        Hidden units of an expert.
    training
        Further settings of `stacked_mlps.Training`.
    """

    def __init__(self, task: sb.TaskInfo, *, depth: int, width: int = 8, **training: Any) -> None:
        self.depth = depth
        super().__init__(TreeRouter(), MlpExperts(2**depth, width, Training(**training)))

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Place the prototypes, route both splits, fit every expert by itself on its own samples.

        Returns
        -------
        dict of str to numpy.ndarray
            What `bisectors` gives, and the layers of the experts.
        """
        prototypes = tree_of(train.x.astype(np.float64), self.depth, rng)
        routing = bisectors(prototypes)
        routes, valid_routes = (self.router.route(routing, split.x) for split in (train, valid))
        leaves = prototypes[-self.experts.many :]
        return routing | self.experts.fit_cells(train, valid, rng, routes, valid_routes, leaves)


class TreeRouter(sb.Router):
    """Descend a tree of prototypes, at every node to the nearer of its two children: 2d operations."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the leaf of every input, ``(n, 1)``."""
        leaf = ops.oblique_tree_route(x, params["normals"], params["thresholds"])
        return sb.Routes(experts=leaf[:, None])


class MlpExperts(sb.Experts):
    """Perceptrons of one shape, each trained apart from the others."""

    def __init__(self, many: int, width: int, training: Training) -> None:
        self.many = many
        self.width = width
        self.training = training

    def fit_cells(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
        valid_routes: sb.Routes,
        prototypes: Floats,
    ) -> dict[str, np.ndarray]:
        """Fit every expert to the samples of its cell.

        Returns
        -------
        dict of str to numpy.ndarray
            All float32: ``hidden_weights`` ``(N, h, d)``, ``hidden_biases`` ``(N, h)``, ``weights``
            ``(N, 1, h)``, ``biases`` ``(N, 1)``.
        """
        own = filled(members(routes.experts[:, 0], self.many), train.x, prototypes)
        checks = members(valid_routes.experts[:, 0], self.many)
        parts = Part(train.x, train.y, own), Part(valid.x, valid.y, checks)
        layers = fit_stacked(*parts, (self.width,), rng.spawn(self.many), self.training)
        return dict(zip(LAYERS, layers, strict=True))

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Run the expert of every input: ``(n,)`` float32."""
        return ops.grouped_mlp(x, routes.experts[:, 0], *(params[name] for name in LAYERS))[:, 0]


def tree_of(x: Floats, depth: int, rng: np.random.Generator) -> Floats:
    """Place the prototypes of a complete binary tree: the children of a node are the clusters of its inputs.

    Parameters
    ----------
    x
        Inputs ``(n, d)``, n at least 1.
    depth
        Levels.
    rng
        Chooses the first centres.

    Returns
    -------
    numpy.ndarray
        float64 ``(2 + 4 + ... + 2**depth, d)``, level by level. A node without inputs has its parent's
        prototype for both its children; the left one is taken then.
    """
    levels = []
    nodes = [x]
    place = x.mean(axis=0, keepdims=True)
    for _ in range(depth):
        place = np.concatenate(
            [
                clusters(own, 2, rng) if len(own) else np.tile(parent, (2, 1))
                for own, parent in zip(nodes, place, strict=True)
            ]
        )
        levels.append(place)
        cut = bisectors(place)
        right = [
            own @ normal > threshold
            for own, normal, threshold in zip(nodes, cut["normals"], cut["thresholds"], strict=True)
        ]
        nodes = [part for own, far in zip(nodes, right, strict=True) for part in (own[~far], own[far])]
    return np.concatenate(levels)


def bisectors(prototypes: Floats) -> dict[str, np.ndarray]:
    """Give the hyperplanes between pairs of prototypes: beyond it the second of the two is the nearer.

    ``|x - b|**2 < |x - a|**2`` where ``(b - a) @ x > (|b|**2 - |a|**2) / 2``.

    Parameters
    ----------
    prototypes
        ``(2m, d)``, the two of a pair one after the other.

    Returns
    -------
    dict of str to numpy.ndarray
        Both float32: ``normals`` ``(m, d)``, ``thresholds`` ``(m,)``, in the order of the pairs.
    """
    left, right = prototypes[::2], prototypes[1::2]
    thresholds = np.sum((right - left) * (right + left), axis=1) / 2
    return {"normals": (right - left).astype(np.float32), "thresholds": thresholds.astype(np.float32)}


def clusters(x: Floats, many: int, rng: np.random.Generator) -> Floats:
    """Find centres by Lloyd's algorithm, beginning with inputs that are far from each other.

    Parameters
    ----------
    x
        ``(n, d)``, n at least 1.
    many
        How many centres.
    rng
        Chooses the first input.

    Returns
    -------
    numpy.ndarray
        ``(many, d)``. A centre that is nearest to no input stays where it was.
    """
    centres = x[rng.integers(len(x), size=1)]
    while len(centres) < many:
        centres = np.concatenate([centres, x[[np.argmax(squares(x, centres).min(axis=1))]]])
    for _ in range(ROUNDS):
        near = np.argmin(squares(x, centres), axis=1)
        count = np.bincount(near, minlength=many)
        sums = np.zeros_like(centres)
        np.add.at(sums, near, x)
        centres = np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], centres)
    return centres


def squares(x: Floats, centres: Floats) -> Floats:
    """Square the distances of inputs ``(n, d)`` to centres ``(k, d)``: ``(n, k)``."""
    return np.stack([np.sum((x - centre) ** 2, axis=1) for centre in centres], axis=1)


def members(cell: Integers, cells: int) -> list[Integers]:
    """Give for every cell the numbers of its samples, ascending."""
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.cumsum(np.bincount(cell, minlength=cells))[:-1])


def filled(own: list[Integers], x: Floats, prototypes: Floats) -> list[Integers]:
    """Give a cell with few samples the inputs nearest to its prototype instead."""
    few = min(FEWEST, len(x))
    return [
        rows if len(rows) >= few else np.sort(np.argsort(squares(x, place[None])[:, 0], kind="stable")[:few])
        for rows, place in zip(own, prototypes, strict=True)
    ]
