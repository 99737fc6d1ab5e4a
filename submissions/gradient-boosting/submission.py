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
        """Fit the trees at every learning rate, and keep those that do best on the validation split.

        Returns
        -------
        dict of str to numpy.ndarray
            The trees as `complete_trees.stacked` gives them, those of a class side by side, leaves in
            float64; ``start``: float64 ``(scores,)``, what the trees are added to.
        """
        x, y = some_of(train, self.classes, rng)
        seed = int(rng.integers(2**31))
        fits = [self._fit(x, y, rate, seed) for rate in RATES]
        inputs = flatten(valid.x)
        return self._read(max(fits, key=lambda fitted: fitted.score(inputs, valid.y)))

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
            **limits(x.shape[1]),
            learning_rate=rate,
            early_stopping=False,
            random_state=seed,
        ).fit(x, y)

    def _read(self, fitted: Any) -> dict[str, np.ndarray]:
        rounds = fitted._predictors  # noqa: SLF001 - scikit-learn gives its trees away in no other way
        trees = [one[score].nodes for score in range(self.scores) for one in rounds]
        filled = [complete(nodes_of(tree), self.depth) for tree in trees]
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
RATES = (0.2, 0.5)
"""Learning rates: few trees need large steps, and many large steps may diverge."""
FITTED = 3 * 2**20
"""Numbers in the inputs that trees are fitted to."""
WIDE, WIDE_BINS = 96, 64
"""Features of which all are tried at every split; bins of each where inputs have more."""


def some_of(train: sb.Split, classes: int | None, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Give samples whose inputs are at most `FITTED` numbers, with a mean input for a class that has none."""
    x, y = flatten(train.x), train.y
    order = rng.permutation(len(x))[: FITTED // x.shape[1]]
    missing = np.setdiff1d(np.arange(classes or 0), y[order])
    means = np.tile(x.mean(axis=0), (len(missing), 1))
    return np.concatenate([means, x[order]]), np.concatenate([missing.astype(y.dtype), y[order]])


def limits(d: int) -> dict[str, Any]:
    """Give scikit-learn's settings for inputs of d numbers: of wide ones every split tries `WIDE`, by chance.

    Histograms are made of all features all the same, so those of wide inputs have fewer bins: they take most
    of the time.
    """
    return {"max_features": WIDE / d, "max_bins": WIDE_BINS} if d > WIDE else {}


def nodes_of(tree: np.ndarray) -> Nodes:
    """Read a tree of scikit-learn's histogram-based boosting."""
    left, right = (tree[side].astype(np.int64) for side in ("left", "right"))
    return Nodes(tree["feature_idx"], tree["num_threshold"], left, right, tree["is_leaf"].astype(bool))


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))
