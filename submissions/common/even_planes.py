"""Random hyperplanes that are laid so that their buckets hold about as many training inputs each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]

__all__ = ["even_planes", "unevenness"]

CANDIDATES = 8
"""Random inputs of which a plane is laid through one."""


def even_planes(x: Floats, shape: tuple[int, ...], rng: np.random.Generator) -> dict[str, Floats]:
    """Draw normals from N(0, I), and lay each plane through one of a few random inputs.

    Of these it is the one that leaves the buckets of the table's planes so far most even: of the greatest
    entropy. Baykal et al. (NeurIPS 2022, arXiv:2208.04461) draw planes at random. Laid through one random
    input a plane may leave nearly all on one side, and is then paid for and decides nothing; laid through the
    median of the projections, all planes meet in the middle of the inputs, and in few dimensions they cut
    wedges, or the same halves again.

    Parameters
    ----------
    x
        Inputs, real ``(n, d)``, n at least 1.
    shape
        ``(m,)`` planes of one table, or ``(s, m)`` for s tables.
    rng
        Draws the normals, and the inputs.

    Returns
    -------
    dict of str to numpy.ndarray
        ``planes``: float64 ``(*shape, d)``; ``offsets``: float64 ``shape``.
    """
    x = np.asarray(x, dtype=np.float64)
    planes = rng.standard_normal((*shape, x.shape[1]))
    through = x[rng.integers(len(x), size=(*shape, CANDIDATES))]
    offsets = np.empty(shape)
    tables = (planes.reshape(-1, *planes.shape[-2:]), through.reshape(-1, *through.shape[-3:]))
    for table, (normals, points) in zip(
        offsets.reshape(-1, shape[-1]), zip(*tables, strict=True), strict=True
    ):
        table[:] = _lay(x, normals, points)
    return {"planes": planes, "offsets": offsets}


def unevenness(bucket: NDArray[np.integer[Any]], buckets: int) -> float:
    """Say how far samples are from filling buckets evenly: Σ c log2 c over the buckets' counts c.

    For n samples it is n times log2(n) less the entropy of their buckets in bits.

    Parameters
    ----------
    bucket
        The bucket of every sample, ``(n,)`` in ``[0, buckets)``.
    buckets
        How many there are.
    """
    count = np.bincount(bucket, minlength=buckets)
    return float(np.sum(count * np.log2(np.maximum(count, 1))))


def _lay(x: Floats, normals: Floats, points: Floats) -> Floats:
    """Choose the offsets ``(m,)`` of one table, plane by plane, among those of points ``(m, c, d)``."""
    offsets = np.empty(len(normals))
    bucket = np.zeros(len(x), dtype=np.int64)
    for plane, (normal, own) in enumerate(zip(normals, points, strict=True)):
        projections, least = x @ normal, math.inf
        halves = bucket
        for offset in np.sum(own * normal, axis=1):
            sides = 2 * bucket + (projections > offset)
            uneven = unevenness(sides, 2 ** (plane + 1))
            if uneven < least:
                least, offsets[plane], halves = uneven, offset, sides
        bucket = halves
    return offsets
