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
            ``value``: float64 ``(1,)``.
        """
        labels = np.asarray(train.y, dtype=np.float64)
        best = most_recalled(labels) if self.metric == "recall" else labels.mean()
        return {"value": np.array([best])}

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Repeat the constant: ``(n,)`` float64."""
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
