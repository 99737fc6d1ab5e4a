"""Data-dependent sparse model whose mask is predicted by a product of two thin matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from masked_units import MaskedNetwork, MaskedUnits, MaskRouter
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray


class DsmPredicted(MaskedNetwork):
    """Use the s of t random ReLU units whose predicted pre-activations are the largest.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    active
        Units that are used for an input (s).
    units
        Hidden units (t).
    rank
        Of the predictor (r). For inputs of at most so many numbers, pre-activations are computed and not
        predicted, once for the router and the experts.
    """

    def __init__(self, task: sb.TaskInfo, *, active: int, units: int, rank: int = 4) -> None:
        super().__init__(PredictedMask(active, rank), units)
        self.experts = PredictedUnits()


class PredictedMask(MaskRouter):
    """Predict all pre-activations at 2r operations each, and take the largest."""

    def __init__(self, active: int, rank: int) -> None:
        self.active = active
        self.rank = rank

    def fit_mask(
        self, units: dict[str, np.ndarray], x: NDArray[np.floating[Any]], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Find the predictor of least squared error on the training inputs.

        Returns
        -------
        dict of str to numpy.ndarray
            ``up``: float64 ``(t, r)``; ``shifts``: float64 ``(t,)``; ``down``: float64 ``(r, d)``. Nothing
            where d is at most r: the first layer is its own predictor then.
        """
        weights, biases = units["weights"], units["biases"]
        if weights.shape[1] <= self.rank:
            return {}
        return low_rank(weights, biases, x.astype(np.float64), self.rank)

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the s units with the largest predictions, and exact ones as gates: both ``(n, s)``."""
        if "down" not in params:
            values, units = ops.top_k(x @ params["weights"].T + params["biases"], self.active)
            return sb.Routes(experts=units, gates=values)
        predicted = (x @ params["down"].T) @ params["up"].T + params["shifts"]
        return sb.Routes(experts=ops.top_k(predicted, self.active)[1])


class PredictedUnits(MaskedUnits):
    """Evaluate the active units from their own weights, unless the router has computed them already."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Compute the active units, where they are only predicted, and read them out: ``(n,)`` float64."""
        if routes.gates is None:
            return super().apply(params, x, routes)
        xp = x.__array_namespace__()
        readout = ops.gather(routes.experts, params["readout"])
        return xp.vecdot(xp.maximum(routes.gates, 0.0), readout) + params["intercept"]


def low_rank(weights: np.ndarray, biases: np.ndarray, x: np.ndarray, rank: int) -> dict[str, np.ndarray]:
    """Approximate ``x @ weights.T + biases`` by ``(x @ down.T) @ up.T + shifts`` best on given inputs.

    By the theorem of Eckart and Young: ``up`` are the leading principal components of the pre-activations.

    Parameters
    ----------
    weights, biases
        ``(t, d)`` and ``(t,)``.
    x
        Inputs ``(n, d)``.
    rank
        Columns of ``up`` (r), at most min(t, d).

    Returns
    -------
    dict of str to numpy.ndarray
        ``up``: ``(t, r)``; ``shifts``: ``(t,)``; ``down``: ``(r, d)``.
    """
    centre = x.mean(axis=0)
    variances, axes = np.linalg.eigh((x - centre).T @ (x - centre) / len(x))
    root = axes * np.sqrt(np.maximum(variances, 0.0))
    up = np.linalg.svd(weights @ root, full_matrices=False)[0][:, :rank]
    down = up.T @ weights
    return {"up": up, "down": down, "shifts": biases + (weights - up @ down) @ centre}
