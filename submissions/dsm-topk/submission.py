"""A data-dependent sparse model: of t random, frozen ReLU units only the s largest are used."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from sparsebench import ops


class DsmTopK(sb.Routed):
    """DSM(d, s, t) of Baykal et al. with the top-k mask, readout fitted by ridge regression.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    active
        Units that are used for an input (s).
    units
        All units (t).
    reuse
        Whether the experts take over the pre-activations that the router has computed. If not, they compute
        those of the active units again. The fitted function is the same.
    ridge
        Penalty on the squared weights of the readout, per training sample.
    """

    def __init__(
        self,
        task: sb.TaskInfo,
        *,
        active: int,
        units: int,
        reuse: bool = False,
        ridge: float = 1e-6,
    ) -> None:
        super().__init__(TopKRouter(active, units), (ReusingExperts if reuse else UnitExperts)(units, ridge))


class TopKRouter(sb.Router):
    """Compute all pre-activations and take the largest. An expert is one hidden unit."""

    def __init__(self, active: int, units: int) -> None:
        self.active = active
        self.units = units

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw weights and biases from N(0, 1) and freeze them.

        Returns
        -------
        dict of str to numpy.ndarray
            ``weights``: float64 ``(t, d)``; ``biases``: float64 ``(t,)``.
        """
        weights = rng.standard_normal((self.units, train.x.shape[1]))
        return {"weights": weights, "biases": rng.standard_normal(self.units)}

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the s units with the largest pre-activations, and these as gates: both ``(n, s)``."""
        values, units = ops.top_k(x @ params["weights"].T + params["biases"], self.active)
        return sb.Routes(experts=units, gates=values)


class UnitExperts(sb.Experts):
    """Evaluate the active units from their own weights, as a network without a router would."""

    def __init__(self, units: int, ridge: float) -> None:
        self.units = units
        self.ridge = ridge

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
    ) -> dict[str, np.ndarray]:
        """Fit the readout on the masked features.

        Returns
        -------
        dict of str to numpy.ndarray
            ``readout``: float64 ``(t,)``; ``intercept``: float64 ``(1,)``.
        """
        features = np.zeros((len(train), self.units + 1))
        np.put_along_axis(features, routes.experts, np.maximum(routes.gates, 0.0), axis=1)
        features[:, -1] = 1.0  # the intercept's
        solution = fit_ridge(features, train.y, self.ridge)
        return {"readout": solution[:-1], "intercept": solution[-1:]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Compute the active units and read them out: ``(n,)`` float64."""
        xp = x.__array_namespace__()
        layers = (params["weights"][:, None, :], params["biases"][:, None], params["readout"][:, None, None])
        parts = ops.grouped_mlp(x, routes.experts, *layers, activation="relu")
        return xp.sum(parts[..., 0], axis=1) + params["intercept"]


class ReusingExperts(UnitExperts):
    """Read out what the router has computed already."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Read the active units out: ``(n,)`` float64."""
        xp = x.__array_namespace__()
        readout = ops.gather(routes.experts, params["readout"])
        return xp.vecdot(xp.maximum(routes.gates, 0.0), readout) + params["intercept"]


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
