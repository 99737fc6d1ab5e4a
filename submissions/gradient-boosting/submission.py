"""Gradient boosting: a sum of small trees, all of which are descended."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sparsebench as sb
from complete_trees import Nodes, complete, descend, stacked


class GradientBoosting(sb.Submission):
    """A histogram-based gradient boosting of scikit-learn.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, None where labels are real.
    trees
        How many trees there are in all (T): of more than two classes every class has T/c of them, rounded, at
        least one.
    depth
        Their depth (D).
    """

    def __init__(self, task: sb.TaskInfo, *, trees: int, depth: int) -> None:
        self.classes = task.classes
        self.each = max(round(trees / self.scores), 1)
        self.depth = depth

    @property
    def scores(self) -> int:
        """Sums of trees that are compared: one for each class, of two classes one that is compared with 0."""
        return self.classes if self.classes is not None and self.classes > TWO else 1

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Fit the trees, at the learning rate that is better for a quarter of the samples.

        Of inputs of more than `WIDEST` numbers the trees see those that vary most.

        Returns
        -------
        dict of str to numpy.ndarray
            The trees as `complete_trees.stacked` gives them, those of a class side by side, leaves in
            float64; ``start``: float64 ``(scores,)``, what the trees are added to.
        """
        x, y = some_of(train, self.classes, rng)
        used = widest(x)
        seed = int(rng.integers(2**31))
        some = slice(max(len(x) // 4, min(len(x), FEWEST)))
        trials = [self._fit(x[some][:, used], y[some], rate, seed) for rate in RATES]
        inputs, labels = flatten(valid.x)[:CHECKED, used], valid.y[:CHECKED]
        best = int(np.argmax([trial.score(inputs, labels) for trial in trials]))
        return self._read(self._fit(x[:, used], y, RATES[best], seed), used)

    def _fit(self, x: np.ndarray, y: np.ndarray, rate: float, seed: int) -> Any:
        from sklearn.ensemble import (  # noqa: PLC0415 - fit's alone
            HistGradientBoostingClassifier,
            HistGradientBoostingRegressor,
        )

        kind = HistGradientBoostingRegressor if self.classes is None else HistGradientBoostingClassifier
        return kind(
            max_iter=self.each,
            max_depth=self.depth,
            max_leaf_nodes=None,
            learning_rate=rate,
            early_stopping=False,
            random_state=seed,
        ).fit(x, y)

    def _read(self, fitted: Any, used: np.ndarray) -> dict[str, np.ndarray]:
        rounds = fitted._predictors  # noqa: SLF001 - scikit-learn gives its trees away in no other way
        trees = [one[score].nodes for score in range(self.scores) for one in rounds]
        filled = [complete(nodes_of(tree, used), self.depth) for tree in trees]
        values = [tree["value"][own.leaves] for tree, own in zip(trees, filled, strict=True)]
        start = np.reshape(fitted._baseline_prediction, self.scores)  # noqa: SLF001 - as above
        return stacked(filled, values) | {"start": start.astype(np.float64)}

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Sum the trees of every class: class numbers, int64 ``(n,)``, or float64 ``(n,)``."""
        xp = x.__array_namespace__()
        told = descend(params, flatten(x))
        sums = xp.sum(xp.reshape(told, (x.shape[0], self.scores, self.each)), axis=2) + params["start"]
        if self.classes is None:
            return sums[:, 0]
        if self.scores == 1:
            return xp.astype(sums[:, 0] > 0.0, xp.int64)
        return xp.argmax(sums, axis=1)


TWO = 2
RATES = (0.15, 0.5)
"""Learning rates that are tried."""
FITTED, FEWEST, WIDEST, CHECKED = 2**20, 2048, 96, 2048
"""Numbers in the inputs that trees are fitted to; fewest samples of a trial; features; samples that judge."""


def some_of(train: sb.Split, classes: int | None, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give samples whose inputs are at most `FITTED` numbers, with a mean input for a class that has none."""
    x, y = flatten(train.x), train.y
    order = rng.permutation(len(x))[: FITTED // min(x.shape[1], WIDEST)]
    missing = np.setdiff1d(np.arange(classes or 0), y[order])
    means = np.tile(x.mean(axis=0), (len(missing), 1))
    return np.concatenate([means, x[order]]), np.concatenate([missing.astype(y.dtype), y[order]])


def widest(x: np.ndarray) -> np.ndarray:
    """Give the numbers of the features that vary most, ascending."""
    return np.sort(np.argsort(-np.var(x, axis=0, dtype=np.float64), kind="stable")[:WIDEST])


def nodes_of(tree: np.ndarray, used: np.ndarray) -> Nodes:
    """Read a tree of scikit-learn's histogram-based boosting, which was fitted to some features."""
    left, right = (tree[side].astype(np.int64) for side in ("left", "right"))
    return Nodes(used[tree["feature_idx"]], tree["num_threshold"], left, right, tree["is_leaf"].astype(bool))


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))
