"""Soft decision tree: hyperplanes that are trained by gradient; used is the likelier side at every node."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from soft_routes import Plan, fit_tree
from sparsebench import ops

SAMPLES = 16384  # that a tree is trained on, at most


class SoftTree(sb.Routed):
    """An oblique decision tree with a constant in every leaf.

    Parameters
    ----------
    task
        Public facts of the task: the metric, and the number of classes.
    depth
        Levels (D); a tree that recalls labels has twice as many, as far as there are samples.
    """

    def __init__(self, task: sb.TaskInfo, *, depth: int) -> None:
        super().__init__(PathRouter(), LeafExperts())
        self.classes = task.classes
        self.recalls = task.metric == "recall"
        self.depth = 2 * depth if self.recalls else depth

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Train the tree; where labels are random, halve the samples in every node instead.

        Returns
        -------
        dict of str to numpy.ndarray
            ``normals``: ``(2**D - 1, d)`` and ``thresholds``: ``(2**D - 1,)``, breadth first, in float64,
            or where samples were halved in float32; ``told``: ``(2**D,)``, what leaves say: numbers in
            float32, or classes in int64.
        """
        x = train.x.reshape(len(train.x), -1)
        if self.recalls:
            return halved(x, train.y, min(self.depth, (len(x) - 1).bit_length()), rng)
        some = rng.permutation(len(x))[:SAMPLES]
        unseen = valid.x.reshape(len(valid.x), -1), valid.y
        fitted = fit_tree(x[some], train.y[some], self.classes, Plan(self.depth, hidden=0), rng, unseen)
        values = fitted.pop("values")
        told = values.argmax(axis=1) if self.classes else values[:, 0].astype(np.float32)
        return fitted | {"told": told}


class PathRouter(sb.Router):
    """Follow one path."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the leaf of every input, ``(n, 1)``."""
        flat = x.__array_namespace__().reshape(x, (x.shape[0], -1))
        leaf = ops.oblique_tree_route(flat, params["normals"], params["thresholds"])
        return sb.Routes(experts=leaf[:, None])


class LeafExperts(sb.Experts):
    """Look up what the leaf says."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Give ``(n,)``, numbers or classes."""
        return ops.gather(routes.experts[:, 0], params["told"])


def halved(x: np.ndarray, y: np.ndarray, depth: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Cut the samples of every node into halves, in a random direction, and let leaves say a label of theirs.

    Random labels leave nothing to train on. 2**depth leaves recall that many labels, and all of them where
    there are no more samples.

    Returns
    -------
    dict of str to numpy.ndarray
        As `SoftTree.fit`.
    """
    normals = rng.standard_normal((2**depth - 1, x.shape[1])).astype(np.float32)
    thresholds = np.full(2**depth - 1, np.inf, dtype=np.float32)
    told = np.zeros(2**depth, dtype=y.dtype)
    order = [np.arange(len(x))]
    for level in range(depth):
        below = []
        for node, rows in enumerate(order, start=2**level - 1):
            along = ops.gather_matmul(x[rows], np.full(len(rows), node), normals)
            ranked = np.argsort(along, kind="stable")
            half = (len(rows) + 1) // 2
            if len(rows) > 1:
                thresholds[node] = (along[ranked[half - 1]] + along[ranked[half]]) / 2
            right = along > thresholds[node]
            below += [rows[~right], rows[right]]
        order = below
    for leaf, rows in enumerate(order):
        if len(rows):
            labels, often = np.unique(y[rows], return_counts=True)
            told[leaf] = labels[np.argmax(often)]
    return {"normals": normals, "thresholds": thresholds, "told": told}
