"""CART: one tree of comparisons with single features, and a label or a constant in every leaf."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sparsebench as sb
from complete_trees import Nodes, complete
from sparsebench import ops

GROWN = 16
"""Levels that are grown; a variant stops after some of them, so one fit serves all variants."""


class Cart(sb.Routed):
    """A classification or regression tree of scikit-learn, of which the first levels are asked.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, None where labels are real, and whether labels are to
        be recalled: then a leaf holds one of its labels, and not their mean.
    depth
        Levels that are asked (D), at most `GROWN`: there are at most 2**D answers.
    """

    def __init__(self, task: sb.TaskInfo, *, depth: int) -> None:
        self.classes = task.classes
        self.recall = task.metric == "recall"
        super().__init__(TreeRouter(depth), LeafExperts(depth))

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Grow the tree, by squared error or the Gini index.

        Of wide inputs a node looks at some features alone, which the generator draws: at as many as make
        `SEEN` numbers of all inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            ``features``: int32 ``(2**GROWN - 1,)``, level by level; ``thresholds``: float32, the same; and
            for every D ``answers-D``: ``(2**D,)``, classes or float64.
        """
        x = flatten(train.x)
        grown = self._grow(x, train.y, rng)
        nodes = nodes_of(grown.tree_)
        tree = complete(nodes, GROWN)
        params = {"features": tree.features, "thresholds": tree.thresholds}
        if self.classes is not None:
            values = grown.classes_[np.argmax(grown.tree_.value[:, 0], axis=1)]
        else:
            values = grown.tree_.value[:, 0, 0]
        for depth in range(1, GROWN + 1):
            answers = values[complete(nodes, depth).leaves]
            if self.recall and self.classes is None:
                answers = medians(TreeRouter(depth).leaf(params, x), train.y, 2**depth)
            params[f"answers-{depth}"] = answers
        return params

    def _grow(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Any:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415 - fit's alone

        kind = DecisionTreeRegressor if self.classes is None else DecisionTreeClassifier
        features = min(max(SEEN // len(x), 1), x.shape[1])
        return kind(max_depth=GROWN, max_features=features, random_state=int(rng.integers(2**31))).fit(x, y)


SEEN = 2**21
"""Numbers that a level of the tree is grown by."""


class TreeRouter(sb.Router):
    """Descend the first levels of the tree."""

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the place of every input, ``(n, 1)``."""
        return sb.Routes(experts=self.leaf(params, flatten(x))[:, None])

    def leaf(self, params: dict[str, Any], x: Any) -> Any:
        """Give the place of every row ``(n, d)`` after so many levels, ``(n,)``."""
        inner = 2**self.depth - 1
        return ops.axis_tree_route(x, params["features"][:inner], params["thresholds"][:inner])


class LeafExperts(sb.Experts):
    """One answer per place."""

    def __init__(self, depth: int) -> None:
        self.depth = depth

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Look one answer per input up: ``(n,)``, classes or float64."""
        return ops.gather(routes.experts[:, 0], params[f"answers-{self.depth}"])


def nodes_of(tree: Any) -> Nodes:
    """Read a fitted tree of scikit-learn."""
    left = tree.children_left
    return Nodes(tree.feature, tree.threshold, left, tree.children_right, left < 0)


def medians(leaf: np.ndarray, y: np.ndarray, many: int) -> np.ndarray:
    """Give for every place one of its labels, the (upper) median, and 0 for a place without samples.

    Parameters
    ----------
    leaf
        Place of every sample, ``(n,)``.
    y
        Real labels ``(n,)``.
    many
        How many places there are.
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
