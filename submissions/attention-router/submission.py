"""Attention as a router: a fixed random projection makes the query, and the largest product the expert."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sparsebench as sb
from classifiers import flatten
from softmax_experts import RoutedClassifier


class AttentionRouter(RoutedClassifier):
    """One softmax classifier per domain, chosen by the domain's key.

    Parameters
    ----------
    task
        Public facts of the task: the numbers of classes and domains.
    dimensions
        Of queries and keys (d).
    hidden
        Width of an expert's hidden layer (h).
    """

    def __init__(self, task: sb.TaskInfo, *, dimensions: int, hidden: int = 16) -> None:
        super().__init__(FixedAttention(task.domains, dimensions), task, hidden=hidden)


class FixedAttention(sb.Router):
    """Attend to one key per domain. Tags are needed in `fit` only.

    W_Q and W_K are one matrix, drawn at random and fixed. A key is the projection of a domain's mean input,
    and a domain's product is less half its key's length squared: so the largest product is that of the key
    nearest to the query.
    """

    def __init__(self, domains: int, dimensions: int) -> None:
        self.domains = domains
        self.dimensions = dimensions

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the projection, and project the domains' means.

        Returns
        -------
        dict of str to numpy.ndarray
            All float64: ``projection`` ``(d, inputs)``, ``keys`` ``(D, d)`` and ``lengths`` ``(D,)``.
        """
        x = flatten(train.x).astype(np.float64)
        means = np.stack([self._mean(x, train.tag == tag) for tag in range(self.domains)])
        spread = np.std(x, axis=0).max()
        projection = rng.standard_normal((self.dimensions, x.shape[1]))
        projection /= math.sqrt(self.dimensions) * (spread or 1.0)
        keys = means @ projection.T
        return {"projection": projection, "keys": keys, "lengths": -np.sum(keys**2, axis=1) / 2}

    def _mean(self, x: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Give the mean of a domain's inputs; that of all for a domain without any."""
        return np.asarray((x[own] if own.any() else x).mean(axis=0))

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the domain with the largest product for every input, ``(n, 1)``."""
        xp = x.__array_namespace__()
        query = flatten(x) @ params["projection"].T
        products = query @ params["keys"].T + params["lengths"]
        return sb.Routes(experts=xp.argmax(products, axis=1)[:, None])
