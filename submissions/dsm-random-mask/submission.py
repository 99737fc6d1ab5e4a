"""Data-dependent sparse model whose mask is a random one for every bucket of a hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from even_planes import even_planes
from masked_units import MaskedNetwork, MaskRouter
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray


class DsmRandomMask(MaskedNetwork):
    """Use s of t random ReLU units, drawn at random for each bucket that hyperplanes pick.

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
    """

    def __init__(self, task: sb.TaskInfo, *, active: int, units: int, planes: int = 4) -> None:
        super().__init__(HashedMask(active, planes), units)


class HashedMask(MaskRouter):
    """Hash an input by the sides of hyperplanes that it lies on, and look the bucket's mask up."""

    def __init__(self, active: int, planes: int) -> None:
        self.active = active
        self.planes = planes

    def fit_mask(
        self, units: dict[str, np.ndarray], x: NDArray[np.floating[Any]], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Draw the planes, so that buckets are even, and the units of every bucket.

        Returns
        -------
        dict of str to numpy.ndarray
            ``planes``: float64 ``(m, d)``; ``offsets``: float64 ``(m,)``; ``masks``: int64 ``(2**m, s)``,
            numbers of units, ascending.
        """
        order = rng.permuted(np.tile(np.arange(len(units["biases"])), (2**self.planes, 1)), axis=1)
        masks = np.sort(order[:, : self.active], axis=1)
        return {**even_planes(x, (self.planes,), rng), "masks": masks}

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the active units of every input, ``(n, s)``."""
        bucket = ops.hyperplane_hash(x, params["planes"], params["offsets"])
        return sb.Routes(experts=ops.gather(bucket, params["masks"]))
