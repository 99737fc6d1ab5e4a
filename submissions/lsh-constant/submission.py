"""Hyperplane LSH: the sides of random hyperplanes pick a bucket, and a bucket holds one constant."""

from __future__ import annotations

from typing import Any

import numpy as np

import sparsebench as sb
from even_planes import even_planes
from sparsebench import ops

ROUNDS = 10  # sweeps of backfitting when there are several tables


class LshConstant(sb.Routed):
    """Sum over independent tables of the constant in the input's bucket: LSH(d, s, m, 0) of Baykal et al.

    Parameters
    ----------
    task
        Public facts of the task; not needed.
    planes
        Hyperplanes per table (m): each table has 2**m buckets.
    tables
        Independent tables (s).
    """

    def __init__(self, task: sb.TaskInfo, *, planes: int, tables: int = 1) -> None:
        super().__init__(HyperplaneRouter(planes, tables), ConstantExperts(planes))


class HyperplaneRouter(sb.Router):
    """Hash an input by the sides of hyperplanes that it lies on: 2d operations per plane."""

    def __init__(self, planes: int, tables: int) -> None:
        self.planes = planes
        self.tables = tables

    def fit(self, train: sb.Split, valid: sb.Split, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw normals at random, and lay planes so that their buckets are even.

        Returns
        -------
        dict of str to numpy.ndarray
            ``planes``: float64 ``(s, m, d)``; ``offsets``: float64 ``(s, m)``.
        """
        return even_planes(train.x, (self.tables, self.planes), rng)

    def route(self, params: dict[str, Any], x: Any) -> sb.Routes:
        """Give the bucket of every input in every table, ``(n, s)``."""
        return sb.Routes(experts=ops.hyperplane_hash(x, params["planes"], params["offsets"]))


class ConstantExperts(sb.Experts):
    """One constant per bucket."""

    def __init__(self, planes: int) -> None:
        self.buckets = 2**planes

    def fit(
        self,
        train: sb.Split,
        valid: sb.Split,
        rng: np.random.Generator,
        routes: sb.Routes,
    ) -> dict[str, np.ndarray]:
        """Fit the tables one after the other on what the others leave over; once, if there is but one.

        Returns
        -------
        dict of str to numpy.ndarray
            ``constants``: float64 ``(s, 2**m)``.
        """
        tables = routes.experts.shape[1]
        constants = np.zeros((tables, self.buckets))
        rest = train.y.astype(np.float64)
        for _ in range(ROUNDS if tables > 1 else 1):
            for table, bucket in zip(constants, routes.experts.T, strict=True):
                rest += table[bucket]
                table[:] = bucket_means(bucket, rest, self.buckets)
                rest -= table[bucket]
        return {"constants": constants}

    def apply(self, params: dict[str, Any], x: Any, routes: sb.Routes) -> Any:
        """Look a constant up in every table, and add: ``(n,)`` float64."""
        xp = x.__array_namespace__()
        buckets = xp.matrix_transpose(routes.experts)
        return xp.sum(xp.take_along_axis(params["constants"], buckets, axis=1), axis=0)


def bucket_means(bucket: np.ndarray, y: np.ndarray, buckets: int) -> np.ndarray:
    """Average the labels of every bucket; fill the buckets that no sample fell into from their neighbours.

    Neighbours are the buckets across one plane (Hamming distance 1). Unseen buckets are filled in rounds,
    each with the mean of its neighbours that are known, so that knowledge spreads by one plane a round.

    Parameters
    ----------
    bucket
        Bucket of every sample, int64 ``(n,)``, n at least 1.
    y
        Label of every sample, ``(n,)``.
    buckets
        How many buckets there are: a power of two.

    Returns
    -------
    numpy.ndarray
        float64 ``(buckets,)``.
    """
    count = np.bincount(bucket, minlength=buckets)
    known = count > 0
    means = np.bincount(bucket, weights=y, minlength=buckets) / np.maximum(count, 1)
    across = np.arange(buckets)[:, None] ^ (1 << np.arange(buckets.bit_length() - 1))
    while not known.all():
        votes = known[across].sum(axis=1)
        fill = ~known & (votes > 0)
        means[fill] = (means * known)[across[fill]].sum(axis=1) / votes[fill]
        known = known | fill
    return means
