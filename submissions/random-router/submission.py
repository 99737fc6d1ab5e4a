"""Random routing: a hash of the input says which expert is run, and nothing about its domain."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from classifiers import flatten
from softmax_experts import RoutedClassifier

SPREAD = 1e4  # deviation of phases over the training inputs, in radians: near inputs, too, get other phases


class RandomRouter(RoutedClassifier):
    """As many softmax classifiers as there are domains, one of which is drawn for an input.

    Parameters
    ----------
    task
        Public facts of the task: the numbers of classes and domains.
    hidden
        Width of an expert's hidden layer (h); 0 for linear experts.
    """

    def __init__(self, task: sb.TaskInfo, *, hidden: int) -> None:
        super().__init__(HashRouter(task.domains), task, hidden=hidden)


class HashRouter(sb.Router):
    """Cut the cosine of a long random projection into equally likely pieces.

    The phase of an input is spread over thousands of turns, so what is left of it by the cosine is as good as
    uniform whatever domain the input is of, as long as the inputs of a domain differ at all. It is fixed for
    an input: the draw is a hash.
    """

    def __init__(self, experts: int) -> None:
        self.experts = experts

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the direction.

        Returns
        -------
        dict of str to numpy.ndarray
            ``direction``: float64 ``(d,)``; ``edges``: float64 ``(experts - 1,)``, ascending cosines.
        """
        x = flatten(train.x)
        direction = rng.standard_normal(x.shape[1])
        direction *= SPREAD / np.std(x @ direction)
        return {
            "direction": direction,
            "edges": np.cos(np.pi * np.arange(self.experts - 1, 0, -1) / self.experts),
        }

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the expert of every input, ``(n, 1)``."""
        xp = x.__array_namespace__()
        expert = xp.searchsorted(params["edges"], xp.cos(flatten(x) @ params["direction"]))
        return sb.Routes(experts=expert[:, None])
