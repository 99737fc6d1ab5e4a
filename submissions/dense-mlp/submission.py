"""A dense network: every unit of it is evaluated for every input. It is trained on any task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sparsebench as sb
from networks import apply_network, fit_network, flatten

if TYPE_CHECKING:
    import numpy as np


class DenseMlp(sb.Submission):
    """A softmax classifier or a regression on the flattened input: linear, or with a hidden layer of ReLUs.

    Parameters
    ----------
    task
        Public facts of the task: the number of classes, None where labels are real.
    hidden
        Width of the hidden layer (h); 0 for a linear map.
    """

    def __init__(self, task: sb.TaskInfo, *, hidden: int) -> None:
        self.classes = task.classes
        self.recall = task.metric == "recall"
        self.hidden = (hidden,) if hidden else ()

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Train the network; the validation samples choose learning rate, weight decay and epoch.

        Where real labels are to be recalled, only the last layer is solved, for as many as it can meet.

        Returns
        -------
        dict of str to numpy.ndarray
            All float64, c outputs (1 where labels are real): ``weights_0`` ``(h, d)`` and ``biases_0``
            ``(h,)`` of the hidden layer, ``weights_1`` ``(c, h)`` and ``biases_1`` ``(c,)`` of the last one;
            of a linear map ``weights_0`` ``(c, d)`` and ``biases_0`` ``(c,)``.
        """
        return fit_network(
            flatten(train.x),
            train.y,
            classes=self.classes,
            hidden=self.hidden,
            rng=rng,
            valid=(flatten(valid.x), valid.y),
            recall=self.recall,
        )

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Evaluate the whole network: class numbers, int64 ``(n,)``, or float64 ``(n,)``."""
        answers = apply_network(params, flatten(x))
        if self.classes is None:
            return answers[:, 0]
        return x.__array_namespace__().argmax(answers, axis=1)
