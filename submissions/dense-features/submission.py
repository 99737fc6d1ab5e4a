"""A dense network: every unit of a random, frozen hidden layer is evaluated for every input."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb


class DenseFeatures(sb.Submission):
    """Random ReLU features with a ridge readout.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    units
        Width of the hidden layer (t).
    ridge
        Penalty on the squared weights of the readout, per training sample.
    """

    def __init__(self, task: sb.TaskInfo, *, units: int, ridge: float = 1e-6) -> None:
        self.units = units
        self.ridge = ridge

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw weights and biases from N(0, 1) and freeze them; fit the readout.

        Returns
        -------
        dict of str to numpy.ndarray
            All float64: ``weights`` ``(t, d)``, ``biases`` and ``readout`` ``(t,)``, ``intercept`` ``(1,)``.
        """
        weights = rng.standard_normal((self.units, train.x.shape[1]))
        biases = rng.standard_normal(self.units)
        features = np.ones((len(train), self.units + 1))  # the last column is the intercept's
        features[:, :-1] = np.maximum(train.x @ weights.T + biases, 0.0)
        solution = fit_ridge(features, train.y, self.ridge)
        return {
            "weights": weights,
            "biases": biases,
            "readout": solution[:-1],
            "intercept": solution[-1:],
        }

    def predict(self, params: dict[str, Any], x: Any) -> Any:
        """Evaluate the whole network: ``(n,)`` float64."""
        xp = x.__array_namespace__()
        hidden = xp.maximum(x @ params["weights"].T + params["biases"], 0.0)
        return hidden @ params["readout"] + params["intercept"]


def fit_ridge(features: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Solve the normal equations of ridge regression in float64.

    Parameters
    ----------
    features
        ``(n, t)`` float64.
    y
        ``(n,)``.
    penalty
        Penalty per sample.

    Returns
    -------
    numpy.ndarray
        ``(t,)`` float64.
    """
    gram = features.T @ features
    gram[np.diag_indices_from(gram)] += penalty * len(y)
    return np.linalg.solve(gram, features.T @ y.astype(np.float64))
