"""A dense classifier: one network for the inputs of all domains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sparsebench as sb
from training import apply_mlp, fit_mlp, flatten

if TYPE_CHECKING:
    import numpy as np


class DenseMlp(sb.Submission):
    """A softmax classifier on the flattened input: linear, or with one hidden layer of ReLUs.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes.
    hidden
        Width of the hidden layer (h); 0 for a linear map.
    """

    def __init__(self, task: sb.TaskInfo, *, hidden: int) -> None:
        self.classes = task.classes
        self.hidden = hidden

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Train the network; the validation samples choose weight decay and epoch.

        Returns
        -------
        dict of str to numpy.ndarray
            All float64: ``weights`` ``(c, h or d)``, ``biases`` ``(c,)``, and with a hidden layer
            ``hidden_weights`` ``(h, d)`` and ``hidden_biases`` ``(h,)``.
        """
        return fit_mlp(
            flatten(train.x),
            train.y,
            classes=self.classes,
            hidden=self.hidden,
            rng=rng,
            valid=(flatten(valid.x), valid.y),
        )

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Evaluate the whole network: class numbers, int64 ``(n,)``."""
        return x.__array_namespace__().argmax(apply_mlp(params, flatten(x)), axis=1)
