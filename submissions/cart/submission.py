"""CART: one tree of comparisons with single features, and a label or a constant in every leaf."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sparsebench as sb
from complete_trees import Nodes, complete
from sparsebench import ops


class Cart(sb.Routed):
    """A classification or regression tree of scikit-learn, filled up to its depth.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, None where labels are real, and whether labels are to
        be recalled: then a leaf holds one of its labels, and not their mean.
    depth
        Levels of the tree (D): it has at most 2**D leaves.
    """

    def __init__(self, task: sb.TaskInfo, *, depth: int) -> None:
        self.depth = depth
        self.classes = task.classes
        self.recall = task.metric == "recall"
        super().__init__(TreeRouter(), LeafExperts())

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Grow the tree, by squared error or the Gini index.

        Of wide inputs a node looks at some features alone, which the generator draws: at as many as make
        `SEEN` numbers of all inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            ``features``: int32 ``(2**D - 1,)``; ``thresholds``: float32, the same; ``leaves``: ``(2**D,)``,
            classes or float64.
        """
        x = flatten(train.x)
        grown = self._grow(x, train.y, rng)
        tree = complete(nodes_of(grown.tree_), self.depth)
        if self.classes is not None:
            values = grown.classes_[np.argmax(grown.tree_.value[:, 0], axis=1)]
        elif self.recall:
            values = medians(grown.apply(x), train.y, grown.tree_.node_count)
        else:
            values = grown.tree_.value[:, 0, 0]
        return {"features": tree.features, "thresholds": tree.thresholds, "leaves": values[tree.leaves]}

    def _grow(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Any:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415 - fit's alone

        kind = DecisionTreeRegressor if self.classes is None else DecisionTreeClassifier
        features = min(max(SEEN // len(x), 1), x.shape[1])
        return kind(max_depth=self.depth, max_features=features, random_state=int(rng.integers(2**31))).fit(
            x, y
        )


SEEN = 2**21
"""Numbers that a level of the tree is grown by."""


class TreeRouter(sb.Router):
    """Descend the tree."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the leaf of every input, ``(n, 1)``."""
        leaf = ops.axis_tree_route(flatten(x), params["features"], params["thresholds"])
        return sb.Routes(experts=leaf[:, None])


class LeafExperts(sb.Experts):
    """One answer per leaf."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Look the answer of one leaf per input up: ``(n,)``, classes or float64."""
        return ops.gather(routes.experts[:, 0], params["leaves"])


def nodes_of(tree: Any) -> Nodes:
    """Read a fitted tree of scikit-learn."""
    left = tree.children_left
    return Nodes(tree.feature, tree.threshold, left, tree.children_right, left < 0)


def medians(leaf: np.ndarray, y: np.ndarray, many: int) -> np.ndarray:
    """Give for every leaf one of its labels, the (upper) median, and 0 for what is no leaf.

    Parameters
    ----------
    leaf
        Node of every sample, ``(n,)``.
    y
        Real labels ``(n,)``.
    many
        How many nodes there are.
    """
    order = np.lexsort((y, leaf))
    often = np.bincount(leaf, minlength=many)
    middle = np.cumsum(often) - often + often // 2
    values = np.zeros(many)
    values[often > 0] = y[order][middle[often > 0]]
    return values


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))
