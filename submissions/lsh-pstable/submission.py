"""Euclidean LSH: the cells that random projections fall into pick a constant or an affine function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from nested_polynomials import Cells, Samples, fit_nested
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]


class LshPstable(sb.Routed):
    """What is stored for the input's bucket under floor((a @ x + b) / ε), a ~ N(0, I), b ~ U[0, ε].

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    directions
        Projections (k).
    bits
        Each has 2**bits cells of one width ε. The table of addresses has 2**(k * bits) entries.
    affine
        Whether a bucket holds an affine function (Δ = 1) instead of a constant (Δ = 0).
    """

    def __init__(self, task: sb.TaskInfo, *, directions: int, bits: int, affine: bool = False) -> None:
        experts = AffineExperts() if affine else ConstantExperts()
        super().__init__(PstableRouter(directions, bits), experts)

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the hash, fit the functions of buckets, and write down which bucket every address has."""
        routing = self.router.fit(train, valid, rng)
        samples, check = (
            Samples(split.x.astype(np.float64), split.y, self.router.address(routing, split.x))
            for split in (train, valid)
        )
        return {**routing, **self.experts.fit_buckets(samples, check, self.router.cells())}


class PstableRouter(sb.Router):
    """Hash an input by the cells that its projections fall into, and find the address's bucket."""

    def __init__(self, directions: int, bits: int) -> None:
        self.directions = directions
        self.bits = bits

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw directions and shifts; ε is such that the widest projection of the training inputs fits.

        Returns
        -------
        dict of str to numpy.ndarray
            ``directions``: float64 ``(k, d)``, a / ε; ``offsets``: float64 ``(k,)``, b / ε and the whole
            number that makes the least cell 0.
        """
        directions = rng.standard_normal((self.directions, train.x.shape[1]))
        projections = train.x @ directions.T
        width = float(np.ptp(projections, axis=0).max()) / (2**self.bits - 1) or 1.0
        shifts = rng.uniform(size=self.directions)
        least = np.floor(projections.min(axis=0) / width + shifts)
        return {"directions": directions / width, "offsets": shifts - least}

    def address(self, params: dict[str, Any], x: Any) -> Any:
        """Join the cells of all projections: ``(n,)`` in ``[0, 2**(k * bits))``."""
        return ops.pstable_hash(x, params["directions"], params["offsets"], levels=2**self.bits)

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the bucket of every input, ``(n, 1)``: of constants, every address is one."""
        address = self.address(params, x)
        bucket = ops.gather(address, params["buckets"]) if "buckets" in params else address
        return sb.Routes(experts=bucket[:, None])

    def cells(self) -> Cells:
        """Give the cells of this hash, and those of hashes of twice, four times, ... its ε."""
        k, bits = self.directions, self.bits

        def larger(cell: Integers, level: int) -> Integers:
            joined = np.zeros_like(cell)
            for direction in reversed(range(k)):
                digit = cell >> (direction * bits) & (2**bits - 1)
                joined = joined << level | digit >> (bits - level)
            return joined

        return Cells(larger, tuple(2 ** (k * level) for level in range(bits + 1)))


class ConstantExperts(sb.Experts):
    """One constant per address: those without samples have the constant of a larger cell."""

    def fit_buckets(self, samples: Samples, check: Samples, cells: Cells) -> dict[str, np.ndarray]:
        """Fit a constant for every address.

        Returns
        -------
        dict of str to numpy.ndarray
            ``constants``: float32 ``(2**(k * bits),)``.
        """
        nested = fit_nested(samples, check, cells, degree=0)
        return {"constants": nested.coefficients[nested.of_cell, 0].astype(np.float32)}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Look one constant up: ``(n,)`` float32."""
        return ops.gather(routes.experts[:, 0], params["constants"])


class AffineExperts(sb.Experts):
    """One affine function per bucket; addresses without samples have the bucket of a larger cell."""

    def fit_buckets(self, samples: Samples, check: Samples, cells: Cells) -> dict[str, np.ndarray]:
        """Fit an affine function for every bucket.

        Returns
        -------
        dict of str to numpy.ndarray
            ``buckets``: int32 ``(2**(k * bits),)``, the bucket of every address; ``slopes``: float32
            ``(B, 1, d)``; ``intercepts``: float32 ``(B, 1)``.
        """
        nested = fit_nested(samples, check, cells, degree=1)
        functions = nested.coefficients.astype(np.float32)
        return {"buckets": nested.of_cell, "slopes": functions[:, None, 1:], "intercepts": functions[:, :1]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate one affine function per input: ``(n,)`` float32."""
        return ops.grouped_linear(x, routes.experts[:, 0], params["slopes"], params["intercepts"])[:, 0]
