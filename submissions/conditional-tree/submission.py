"""Conditional memorization: project on a line, descend a balanced tree, look the label up."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from sparsebench import ops


class ConditionalTree(sb.Routed):
    """A balanced tree over the points' projections, with one stored label per leaf.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    share
        How many points share a leaf. 1 stores every label; more makes a smaller tree that recalls less.
    """

    def __init__(self, task: sb.TaskInfo, *, share: int = 1) -> None:
        super().__init__(TreeRouter(share), LabelExperts())


class TreeRouter(sb.Router):
    """Find the leaf of an input: 2r - 1 operations to project it, then one comparison per level."""

    def __init__(self, share: int) -> None:
        self.share = share

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the direction, sort the projections, and cut midway between neighbours.

        Returns
        -------
        dict of str to numpy.ndarray
            ``direction``: float64 ``(r,)``; ``thresholds``: float64 ``(2**depth - 1,)``, breadth first.
        """
        direction = rng.standard_normal(train.x.shape[1])
        t = np.sort(train.x @ direction)
        first = np.arange(self.share, len(t), self.share)  # the first point of every leaf but the leftmost
        return {"direction": direction, "thresholds": breadth_first((t[first - 1] + t[first]) / 2)}

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the leaf of every input, ``(n, 1)``."""
        leaf = ops.tree_route(x @ params["direction"], params["thresholds"])
        return sb.Routes(experts=leaf[:, None])


class LabelExperts(sb.Experts):
    """One label per leaf."""

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
    ) -> dict[str, np.ndarray]:
        """Store the label of every leaf's point; where points share a leaf, one label of theirs.

        That is the (upper) median of real labels, and the most frequent of classes.

        Returns
        -------
        dict of str to numpy.ndarray
            ``labels``: ``(leaves,)`` in the dtype of the labels.
        """
        leaf = routes.experts[:, 0]
        if train.y.dtype.kind == "i":
            return {"labels": most_frequent(leaf, train.y)}
        order = np.lexsort((train.y, leaf))
        ends = np.cumsum(np.bincount(leaf))
        middle = (np.concatenate([[0], ends[:-1]]) + ends) // 2
        return {"labels": train.y[order][middle]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Look the label up: ``(n,)``."""
        return ops.gather(routes.experts[:, 0], params["labels"])


def breadth_first(edges: np.ndarray) -> np.ndarray:
    """Lay sorted thresholds out as a complete binary tree, level by level.

    Parameters
    ----------
    edges
        Ascending thresholds ``(m,)``: m + 1 leaves.

    Returns
    -------
    numpy.ndarray
        ``(2**depth - 1,)`` with ``depth = ceil(log2(m + 1))``, as `ops.tree_route` wants them. Missing
        thresholds are infinite, so that the leaves beyond the last one are never reached.
    """
    depth = len(edges).bit_length()
    full = np.full(2**depth - 1, np.inf)
    full[: len(edges)] = edges
    levels = [full[2 ** (depth - level - 1) - 1 :: 2 ** (depth - level)] for level in range(depth)]
    return np.concatenate([full[:0], *levels])


def most_frequent(leaf: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Give the most frequent label of every leaf, the least one among equals.

    Parameters
    ----------
    leaf, labels
        Leaf and label of every point, integers ``(n,)``; every leaf has a point.

    Returns
    -------
    numpy.ndarray
        ``(leaves,)`` in the dtype of the labels.
    """
    order = np.lexsort((labels, leaf))
    leaf, labels = leaf[order], labels[order]
    starts = np.flatnonzero(np.append(True, (np.diff(leaf) != 0) | (np.diff(labels) != 0)))
    often = np.diff(starts, append=len(labels))
    ranked = starts[np.lexsort((-often, leaf[starts]))]
    first = np.unique(leaf[ranked], return_index=True)[1]
    return labels[ranked[first]]
