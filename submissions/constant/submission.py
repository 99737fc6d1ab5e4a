"""The floor: one number for every input."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb

TOLERANCE = 1e-6  # of the metric `recall`, for labels of at most 1 in absolute value


class Constant(sb.Submission):
    """Answer every input with the same number; nothing is executed for an input."""

    def __init__(self, task: sb.TaskInfo) -> None:
        self.metric = task.metric

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Find the constant that the task's metric likes best.

        Returns
        -------
        dict of str to numpy.ndarray
            ``value``: ``(1,)``; float64, or int64 where the metric is accuracy.
        """
        if self.metric == "accuracy":
            return {"value": np.array([most_frequent(train.y, train.tag)])}
        labels = np.asarray(train.y, dtype=np.float64)
        best = most_recalled(labels) if self.metric == "recall" else labels.mean()
        return {"value": np.array([best])}

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Repeat the constant: ``(n,)`` in its dtype."""
        xp = x.__array_namespace__()
        return xp.broadcast_to(params["value"], (x.shape[0],))


def most_recalled(labels: np.ndarray) -> float:
    """Give the number that has the most labels within the tolerance.

    Parameters
    ----------
    labels
        Real array ``(n,)``.

    Returns
    -------
    float
        The middle of the densest window of sorted labels.
    """
    ordered = np.sort(labels)
    ends = np.searchsorted(ordered, ordered + 2 * TOLERANCE, side="right")
    first = int(np.argmax(ends - np.arange(len(ordered))))
    return float(ordered[first] + ordered[ends[first] - 1]) / 2


def most_frequent(labels: np.ndarray, tags: np.ndarray | None) -> int:
    """Give the class with the largest share, averaged over domains as accuracy is.

    Parameters
    ----------
    labels
        Classes, int64 ``(n,)``.
    tags
        The domain of every label, int64 ``(n,)``; None if there are no domains.

    Returns
    -------
    int
        The least such class.
    """
    rows = np.ones(len(labels)) if tags is None else np.bincount(tags)[tags]
    return int(np.argmax(np.bincount(labels, weights=1.0 / rows)))
