"""A network of frozen random ReLU units of which a router names a few, and a readout fitted to these."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]
    Parameters = dict[str, np.ndarray[Any, Any]]

__all__ = ["MaskRouter", "MaskedNetwork"]


class MaskRouter(sb.Router):
    """Names the active units of every input. An expert is one hidden unit."""

    @abstractmethod
    def fit_mask(self, units: Parameters, x: Floats, rng: np.random.Generator) -> Parameters:
        """Learn the router's parameters.

        Parameters
        ----------
        units
            ``weights``: float64 ``(t, d)``; ``biases``: float64 ``(t,)``.
        x
            Training inputs ``(n, d)``.
        rng
            The source of randomness.
        """


class MaskedNetwork(sb.Routed):
    """DSM(d, s, t) of Baykal et al. (NeurIPS 2022, arXiv:2208.04461): s active units of t, by whatever mask.

    Weights and biases are drawn from N(0, 1) and frozen, as in their experiments. The readout is a ridge
    regression on the masked features.

    Parameters
    ----------
    router
        Names the active units.
    units
        Hidden units (t).
    ridge
        Penalty on the squared weights of the readout, per training sample.
    """

    def __init__(self, router: MaskRouter, units: int, ridge: float = 1e-6) -> None:
        self.mask = router
        self.units = units
        self.ridge = ridge
        super().__init__(router, MaskedUnits())

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> Parameters:
        """Draw the units, fit the router, route the training inputs, fit the readout.

        Returns
        -------
        dict of str to numpy.ndarray
            The router's parameters, and, all float64, ``weights`` ``(t, d)``, ``biases`` ``(t,)``,
            ``readout`` ``(t,)`` and ``intercept`` ``(1,)``.
        """
        weights = rng.standard_normal((self.units, train.x.shape[1]))
        units = {"weights": weights, "biases": rng.standard_normal(self.units)}
        params = self.mask.fit_mask(units, train.x, rng) | units
        active = self.mask.route(params, train.x).experts
        return params | fit_readout(units, train, active, self.ridge)


class MaskedUnits(sb.Experts):
    """Evaluate the active units from their own weights, as a network that got its mask for nothing."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Compute the active units and read them out: ``(n,)`` float64."""
        xp = x.__array_namespace__()
        layers = (params["weights"][:, None, :], params["biases"][:, None], params["readout"][:, None, None])
        parts = ops.grouped_mlp(x, routes.experts, *layers, activation="relu")
        return xp.sum(parts[..., 0], axis=1) + params["intercept"]


def fit_readout(units: Parameters, train: sb.Split, active: Integers, penalty: float) -> Parameters:
    """Fit the readout by ridge regression: a unit that is not active for an input is 0 there.

    Parameters
    ----------
    units
        ``weights`` ``(t, d)`` and ``biases`` ``(t,)``.
    train
        The samples.
    active
        The active units of every sample, ``(n, s)``.
    penalty
        Per sample.

    Returns
    -------
    dict of str to numpy.ndarray
        ``readout``: float64 ``(t,)``; ``intercept``: float64 ``(1,)``.
    """
    every = np.maximum(train.x @ units["weights"].T + units["biases"], 0.0)
    features = np.zeros((len(every), every.shape[1] + 1))
    np.put_along_axis(features, active, np.take_along_axis(every, active, axis=1), axis=1)
    features[:, -1] = 1.0  # the intercept's
    gram = features.T @ features
    gram[np.diag_indices_from(gram)] += penalty * len(features)
    solution = np.linalg.solve(gram, features.T @ train.y.astype(np.float64))
    return {"readout": solution[:-1], "intercept": solution[-1:]}
