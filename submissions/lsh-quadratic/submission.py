"""Hyperplane LSH: the sides of random hyperplanes pick a bucket, which holds a quadratic polynomial."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench as sb
from even_planes import even_planes
from nested_polynomials import Samples, fit_nested, halved_cells
from sparsebench import ops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

DIRECT = 16
"""Coordinates of which a polynomial sees all; of more, it sees some projections."""

VARIES = 1e-6
"""Share of the largest variance: along a direction that has less, inputs do not vary."""


class LshQuadratic(sb.Routed):
    """The quadratic polynomial of the input's bucket: LSH(d, 1, m, 2) of Baykal et al.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    planes
        Hyperplanes (m): there are 2**m buckets. Without any there is one polynomial.
    rank
        Of more than 16 coordinates, how many projections the polynomials see.
    """

    def __init__(self, task: sb.TaskInfo, *, planes: int, rank: int = 12) -> None:
        super().__init__(HyperplaneRouter(planes), QuadraticExperts(planes, rank))

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the planes, route both splits, fit the polynomials: validation samples choose their ridges."""
        routing = self.router.fit(train, valid, rng)
        routes, valid_routes = (self.router.route(routing, split.x) for split in (train, valid))
        return {**routing, **self.experts.fit(train, valid, rng, routes, valid_routes)}


class HyperplaneRouter(sb.Router):
    """Hash an input by the sides of hyperplanes that it lies on: 2d operations per plane."""

    def __init__(self, planes: int) -> None:
        self.planes = planes

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw normals at random, and lay planes so that their buckets are even.

        Returns
        -------
        dict of str to numpy.ndarray
            ``planes``: float64 ``(m, d)``; ``offsets``: float64 ``(m,)``; nothing where m is 0.
        """
        return even_planes(train.x, (self.planes,), rng) if self.planes else {}

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the bucket of every input, ``(n, 1)``."""
        if not self.planes:
            xp = x.__array_namespace__()
            return sb.Routes(experts=xp.zeros((x.shape[0], 1), dtype=xp.int64))
        return sb.Routes(experts=ops.hyperplane_hash(x, params["planes"], params["offsets"])[:, None])


class QuadraticExperts(sb.Experts):
    """One quadratic polynomial per bucket, of all coordinates or of a few projections."""

    def __init__(self, planes: int, rank: int) -> None:
        self.planes = planes
        self.rank = rank

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
        valid_routes: sb.Routes | None = None,
    ) -> dict[str, np.ndarray]:
        """Fit a polynomial to all samples, then to the samples of every half, quarter, ... of the buckets.

        Returns
        -------
        dict of str to numpy.ndarray
            ``coefficients``: float64 ``(2**m, M)`` in the order of `ops.grouped_polynomial`. Where d is
            above 16, ``directions``: float64 ``(r, d)``.
        """
        x, y = train.x.astype(np.float64), train.y.astype(np.float64)
        params = {}
        if x.shape[1] > DIRECT:
            params["directions"] = leading_directions(x, y, self.rank)
        checks = routes if valid_routes is None else valid_routes
        samples = Samples(self._seen(params, x), y, routes.experts[:, 0])
        check = Samples(self._seen(params, valid.x.astype(np.float64)), valid.y, checks.experts[:, 0])
        nested = fit_nested(samples, check, halved_cells(self.planes), degree=2)
        return {**params, "coefficients": nested.coefficients[nested.of_cell]}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Evaluate one polynomial per input: ``(n,)`` float64."""
        seen = self._seen(params, x)
        return ops.grouped_polynomial(seen, routes.experts[:, 0], params["coefficients"], degree=2)

    def _seen(self, params: dict[str, Any], x: Any) -> Any:
        return x @ params["directions"].T if "directions" in params else x


def leading_directions(x: Floats, y: Floats, rank: int) -> Floats:
    """Choose directions along which a function is not affine, and the one along which it is.

    All principal components of the inputs, where their variance lies in so few. Else, of the inputs made
    white, the slope of the affine fit, and the leading eigenvectors across it of the mean of rest · z zᵀ,
    with the rest that this fit leaves: the principal Hessian directions (K.-C. Li, *On principal Hessian
    directions for data visualization and dimension reduction*, JASA 87, 1992), exact for normal inputs.

    Parameters
    ----------
    x, y
        Inputs ``(n, d)`` and labels ``(n,)``.
    rank
        How many directions at most (r).

    Returns
    -------
    numpy.ndarray
        float64 ``(r, d)``; fewer rows where the inputs vary along fewer directions.
    """
    centred = x - x.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(x))
    varies = variances > VARIES * variances[-1]
    white = axes[:, varies] / np.sqrt(variances[varies])
    if white.shape[1] <= rank:
        return white.T
    z, rest = centred @ white, y - y.mean()
    slope = z.T @ rest / len(z)
    rest = rest - z @ slope
    along = slope / max(float(np.linalg.norm(slope)), np.finfo(np.float64).tiny)
    across = np.eye(len(along)) - np.outer(along, along)
    bends, bent = np.linalg.eigh(across @ ((z * rest[:, None]).T @ z / len(z)) @ across)
    leading = bent[:, np.argsort(-np.abs(bends), kind="stable")[: rank - 1]]
    return (white @ np.column_stack([along, leading])).T
