"""Oblivious trees: a sum of tables, whose addresses are comparisons of one feature a level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sparsebench as sb
from oblivious import Tree, bins_of, boost, classes_of, laid_out, of_classes, of_numbers, summed

SAMPLES = 16384  # that trees are fitted to, at most


class ObliviousTrees(sb.Submission):
    """Boosted oblivious trees; one tree that recalls a label in every leaf where real labels are memorized.

    Parameters
    ----------
    task
        Public facts of the task: the metric, and the number of classes.
    trees
        How many trees (T). The tree that recalls has 2 log2 T levels more instead.
    depth
        Levels of each (D).
    """

    def __init__(self, task: sb.TaskInfo, *, trees: int, depth: int) -> None:
        self.classes = task.classes
        self.recalls = task.metric == "recall" and task.classes is None
        self.trees, self.depth = (1, depth + 2 * int(math.log2(trees))) if self.recalls else (trees, depth)

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Grow the trees.

        Returns
        -------
        dict of str to numpy.ndarray
            As `oblivious.laid_out`: ``features``: int64 ``(u,)`` and ``thresholds``: float32 ``(u,)``, the
            different comparisons; ``wires``: int64 ``(D, T)``; ``values``: float32 ``(T, 2**D, o)``, with one
            output for numbers and two classes, and for more classes one each; or int64 ``(1, 2**D)``, the
            classes of a single tree.
        """
        x = train.x.reshape(len(train.x), -1)
        if self.recalls:
            return _joined([recalling(x, train.y, self.depth)], classes=False)
        some = rng.permutation(len(x))[:SAMPLES]
        y = train.y[some]
        loss = of_numbers(y.astype(np.float64)) if self.classes is None else of_classes(y, self.classes)
        rate = self.trees ** (-1 / 3)
        grown = boost(bins_of(x[some]), loss, trees=self.trees, depth=self.depth, rate=rate, rng=rng)
        return _joined(grown, classes=self.classes is not None)

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Pack every tree's comparisons, look its leaf up, and add: ``(n,)``, numbers or int64 classes."""
        x = x.__array_namespace__().reshape(x, (x.shape[0], -1))
        return summed(params, x)[:, 0] if self.classes is None else classes_of(params, x)


def _joined(trees: list[Tree], *, classes: bool) -> dict[str, np.ndarray]:
    """Join trees of one size."""
    features, thresholds, values = (np.stack(own) for own in zip(*trees, strict=True))
    return laid_out(features, thresholds, values, classes=classes)


def recalling(x: np.ndarray, y: np.ndarray, depth: int) -> Tree:
    """Grow a tree whose leaves recall the label of one sample each: random labels leave nothing to choose by.

    Levels are spread over the features, and cut each at quantiles, so that samples fall apart as far as
    they may: m levels of one feature tell m + 1 parts apart, so few features make few leaves.

    Returns
    -------
    Tree
        Of one output. A leaf that no sample reaches says 0.
    """
    features = np.sort(np.arange(depth) % x.shape[1])
    number = np.arange(depth) - np.searchsorted(features, features)  # of a level among its feature's
    share = (number + 1) / (np.bincount(features)[features] + 1)
    ranked = np.sort(x, axis=0)
    place = np.maximum((share * len(x)).astype(np.int64), 1)
    thresholds = ((ranked[place - 1, features] + ranked[place, features]) / 2).astype(np.float32)
    values = np.zeros((2**depth, 1), dtype=y.dtype)
    weights = 1 << np.arange(depth, dtype=np.int64)[::-1]
    values[(x[:, features] > thresholds) @ weights, 0] = y
    return Tree(features, thresholds, values)
