"""Nearest domain: an input goes to the domain whose mean input it resembles most, by a cheap summary."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from classifiers import flatten
from softmax_experts import RoutedClassifier
from sparsebench import ops

LOSS = 0.02  # share of validation inputs that a cheaper summary may send astray more than the best one


class PrototypeRouter(RoutedClassifier):
    """One softmax classifier per domain, chosen by the nearest prototype of a domain.

    Parameters
    ----------
    task
        Public facts of the task: the numbers of classes and domains.
    hidden
        Width of an expert's hidden layer (h); 0 for linear experts.
    whole
        Whether whole inputs are compared, and not a cheap summary.
    """

    def __init__(self, task: sb.TaskInfo, *, hidden: int, whole: bool = False) -> None:
        super().__init__(NearestDomain(task.domains, whole=whole), task, hidden=hidden)


class NearestDomain(sb.Router):
    """Compare a summary of the input with every domain's mean. Tags are needed in `fit` only."""

    def __init__(self, domains: int, *, whole: bool) -> None:
        self.domains = domains
        self.choice = ("whole",) if whole else ("first", "sum")

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Average the summaries of every domain; take the first summary that tells domains well enough.

        Returns
        -------
        dict of str to numpy.ndarray
            One array, ``prototypes_first``, ``prototypes_sum`` or ``prototypes_whole``: float64 ``(D, q)``
            for summaries of q numbers.
        """
        means = {
            name: self.means(SUMMARIES[name](train.x).astype(np.float64), train.tag) for name in self.choice
        }
        right = {
            name: np.mean(ops.nearest_prototype(SUMMARIES[name](valid.x), prototypes) == valid.tag)
            for name, prototypes in means.items()
        }
        best = next(name for name in means if right[name] >= max(right.values()) - LOSS)
        return {f"prototypes_{best}": means[best]}

    def means(self, summaries: np.ndarray, tags: np.ndarray) -> np.ndarray:
        """Average summaries ``(n, q)`` by domain: ``(D, q)``, the mean of all for a domain without inputs."""
        groups = [summaries[tags == tag] for tag in range(self.domains)]
        return np.stack([(group if len(group) else summaries).mean(axis=0) for group in groups])

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the nearest domain of every input, ``(n, 1)``."""
        name = next(name for name in SUMMARIES if f"prototypes_{name}" in params)
        nearest = ops.nearest_prototype(SUMMARIES[name](x), params[f"prototypes_{name}"])
        return sb.Routes(experts=nearest[:, None])


def first_position(x: Any) -> Any:
    """Give what stands at the first position of inputs ``(n, positions, q)``: ``(n, q)``, for nothing."""
    return x[:, 0, :]


def sum_of_positions(x: Any) -> Any:
    """Add up positions: ``(n, q)``, for q additions a position but the first."""
    xp = x.__array_namespace__()
    return xp.sum(x, axis=1, dtype=xp.float64)


SUMMARIES = {"first": first_position, "sum": sum_of_positions, "whole": flatten}  # from cheap to dear
