"""Data-dependent sparse model whose mask is a random one for every bucket of a hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from even_planes import even_planes
from masked_units import fit_readout
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAYERS = ("weights", "biases", "readout")


class DsmRandomMask(sb.Routed):
    """Use s of t random ReLU units, drawn at random for each bucket that hyperplanes pick.

    Weights and biases are drawn from N(0, 1) and frozen; a unit has one weight in the readout, whatever the
    bucket. A bucket's active units are written down as one record: a small perceptron.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    active
        Units that are used for an input (s).
    units
        Hidden units (t).
    planes
        Hyperplanes (m): there are 2**m masks.
    ridge
        Penalty on the squared weights of the readout, per training sample.
    """

    def __init__(
        self, task: sb.TaskInfo, *, active: int, units: int, planes: int = 4, ridge: float = 1e-6
    ) -> None:
        self.active = active
        self.units = units
        self.planes = planes
        self.ridge = ridge
        super().__init__(HyperplaneRouter(), BucketExperts())

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the units, the masks and the planes, fit the readout, and write the buckets' records.

        Returns
        -------
        dict of str to numpy.ndarray
            All float64: ``planes`` ``(m, d)``, ``offsets`` ``(m,)``, ``weights`` ``(2**m, s, d)``, ``biases``
            ``(2**m, s)``, ``readout`` ``(2**m, 1, s)`` and ``intercept`` ``(1,)``.
        """
        weights = rng.standard_normal((self.units, train.x.shape[1]))
        units = {"weights": weights, "biases": rng.standard_normal(self.units)}
        masks = random_masks(2**self.planes, self.units, self.active, rng)
        routing = even_planes(train.x, (self.planes,), rng)
        bucket = self.router.route(routing, train.x).experts[:, 0]
        fitted = fit_readout(units, train, masks[bucket], self.ridge)
        return {
            **routing,
            "weights": weights[masks],
            "biases": units["biases"][masks],
            "readout": fitted["readout"][masks][:, None],
            "intercept": fitted["intercept"],
        }


class HyperplaneRouter(sb.Router):
    """Hash an input by the sides of hyperplanes that it lies on: 2d operations per plane."""

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the bucket of every input, ``(n, 1)``."""
        return sb.Routes(experts=ops.hyperplane_hash(x, params["planes"], params["offsets"])[:, None])


class BucketExperts(sb.Experts):
    """The units of a bucket's mask, as one perceptron."""

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Compute the bucket's units and read them out: ``(n,)`` float64."""
        told = ops.grouped_mlp(x, routes.experts[:, 0], *(params[name] for name in LAYERS), activation="relu")
        return told[:, 0] + params["intercept"]


def random_masks(buckets: int, units: int, active: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw the units of every bucket without replacement.

    Parameters
    ----------
    buckets, units, active
        How many buckets and units there are, and how many units a bucket uses (s).
    rng
        The source of randomness.

    Returns
    -------
    numpy.ndarray
        int64 ``(buckets, s)``, ascending in every row.
    """
    order = rng.permuted(np.tile(np.arange(units), (buckets, 1)), axis=1)
    return np.sort(order[:, :active], axis=1)
