"""Hyperplane LSH: the sides of random hyperplanes pick a bucket, and a bucket holds an affine function."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from even_planes import even_planes
from nested_polynomials import Samples, fit_nested, halved_cells
from sparsebench import ops


class LshAffine(sb.Routed):
    """The affine function of the input's bucket: LSH(d, 1, m, 1) of Baykal et al.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    planes
        Hyperplanes (m): there are 2**m buckets.
    """

    def __init__(self, task: sb.TaskInfo, *, planes: int) -> None:
        super().__init__(HyperplaneRouter(planes), AffineExperts(planes))

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the planes, route both splits, fit the functions: validation samples choose their ridges."""
        routing = self.router.fit(train, valid, rng)
        samples, check = (
            Samples(split.x.astype(np.float64), split.y, self.router.route(routing, split.x).experts[:, 0])
            for split in (train, valid)
        )
        return {**routing, **self.experts.fit_buckets(samples, check)}


class HyperplaneRouter(sb.Router):
    """Hash an input by the sides of hyperplanes that it lies on: 2d operations per plane."""

    def __init__(self, planes: int) -> None:
        self.planes = planes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw normals at random, and lay planes so that their buckets are even.

        Returns
        -------
        dict of str to numpy.ndarray
            ``planes``: float64 ``(m, d)``; ``offsets``: float64 ``(m,)``.
        """
        return even_planes(train.x, (self.planes,), rng)

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the bucket of every input, ``(n, 1)``."""
        return sb.Routes(experts=ops.hyperplane_hash(x, params["planes"], params["offsets"])[:, None])


class AffineExperts(sb.Experts):
    """One affine function per bucket."""

    def __init__(self, planes: int) -> None:
        self.planes = planes

    def fit_buckets(self, samples: Samples, check: Samples) -> dict[str, np.ndarray]:
        """Fit a function to all samples, then to the samples of every half, quarter, ... of the buckets.

        Returns
        -------
        dict of str to numpy.ndarray
            ``slopes``: float64 ``(2**m, 1, d)``; ``intercepts``: float64 ``(2**m, 1)``.
        """
        nested = fit_nested(samples, check, halved_cells(self.planes), degree=1)
        functions = nested.coefficients[nested.of_cell]
        return {"slopes": functions[:, None, 1:], "intercepts": functions[:, :1]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate one affine function per input: ``(n,)`` float64."""
        return ops.grouped_linear(x, routes.experts[:, 0], params["slopes"], params["intercepts"])[:, 0]
