"""Oblivious trees: a sum of tables, whose addresses are comparisons of one feature a level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sparsebench as sb
from oblivious import Tree, bins_of, bits_of, boost, of_classes, of_numbers, summed

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
            ``features``: int64 ``(T * D,)`` and ``thresholds``: float32 ``(T * D,)``, tree by tree and level
            by level; ``values``: float32 ``(T, 2**D, o)``, with one output for numbers and two classes, and
            for more classes one each.
        """
        x = train.x.reshape(len(train.x), -1)
        if self.recalls:
            return _laid_out([recalling(x, train.y, self.depth)])
        some = rng.permutation(len(x))[:SAMPLES]
        y = train.y[some]
        loss = of_numbers(y.astype(np.float64)) if self.classes is None else of_classes(y, self.classes)
        rate = self.trees ** (-1 / 3)
        return _laid_out(
            boost(bins_of(x[some]), loss, trees=self.trees, depth=self.depth, rate=rate, rng=rng)
        )

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Pack every tree's comparisons, look its leaf up, and add: ``(n,)``, numbers or int64 classes."""
        xp = x.__array_namespace__()
        sides = bits_of(params, xp.reshape(x, (x.shape[0], -1)))
        trees, leaves, outputs = params["values"].shape
        depth = leaves.bit_length() - 1
        bits = [[sides[:, tree * depth + level] for level in range(depth)] for tree in range(trees)]
        told = summed([params["values"][tree] for tree in range(trees)], bits)
        if self.classes is None:
            return told[:, 0]
        return xp.astype(told[:, 0] > 0, xp.int64) if outputs == 1 else xp.argmax(told, axis=1)


def _laid_out(trees: list[Tree]) -> dict[str, np.ndarray]:
    """Join trees of one size."""
    return {
        "features": np.concatenate([tree.features for tree in trees]),
        "thresholds": np.concatenate([tree.thresholds for tree in trees]),
        "values": np.stack([tree.values for tree in trees]),
    }


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
