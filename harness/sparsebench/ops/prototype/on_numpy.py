"""Nearest prototypes by BLAS, and by the reference where rounding could decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.prototype import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["Prototypes", "nearest_in_tree", "nearest_prototype"]

_SCORES = 1 << 18  # scores of a chunk: they stay in the second cache
_ELEMENTS = 1 << 18  # elements of differences held at once
_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


@definition.nearest_prototype.on("numpy")
def nearest_prototype(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.nearest_prototype` for float32 and float64."""
    x, n, dtype = call.x, call["n"], call.promoted("x", "prototypes")
    if dtype not in _DTYPES:
        return NotImplemented
    known = Prototypes(call.prototypes.astype(dtype))
    out = np.empty(n, dtype=np.int64)

    def search(start: int, stop: int) -> None:
        out[start:stop] = known.nearest(np.ascontiguousarray(x[start:stop], dtype=dtype))

    pool.run(search, pool.chunks(n, max(_SCORES // call["N"], 1)))
    return out


class Prototypes:
    """Prototypes ``(N, d)`` of float32 or float64, and what is computed of them once.

    The square of a distance is that of the row, which is the same for all prototypes, plus a score
    ``|p|^2 - 2 x.p``. Where two scores are as near to the least as rounding may have moved them, the
    distances are computed as the reference does, so that the result is the reference's.
    """

    def __init__(self, points: Any) -> None:
        self.points = np.ascontiguousarray(points)
        with np.errstate(all="ignore"):  # the reference, which is asked then, tells
            self.squares = np.einsum("ij,ij->i", self.points, self.points)
            self.doubled = -2 * self.points
            self._radius = np.sqrt(self.squares.max())

    def tolerance(self, x: Any) -> Any:
        """Bound how far rounding may move the order of two prototypes, for every row of ``x``.

        A sum of m products is off by at most m roundings of the sum of their magnitudes (N. Higham, *Accuracy
        and stability of numerical algorithms*, section 3.1), both in the score and in the reference's
        distance, and both for the one prototype and for the other; all magnitudes are within
        ``(|x| + max |p|)^2``. Not finite where a number is not, or where a square may overflow.
        """
        facts = np.finfo(x.dtype)
        with np.errstate(all="ignore"):
            lengths = np.sqrt(np.einsum("ij,ij->i", x, x))
            # The unit of rounding is half of eps: the 4 below is an 8 of such, twice what is needed.
            widths = 4 * (lengths + self._radius)
            roundings = facts.eps * (x.shape[1] + 4)
            return widths * widths * x.dtype.type(0.25 * roundings) + x.dtype.type(
                8 * (x.shape[1] + 4) * facts.tiny
            )

    def nearest(self, x: Any) -> Any:
        """Find the nearest of some rows ``(n, d)`` of the same dtype."""
        with np.errstate(all="ignore"):
            scores = np.matmul(x, self.doubled.T)
            scores += self.squares
        rows = np.arange(len(x))
        nearest = scores.argmin(axis=1)
        least = scores[rows, nearest]
        scores[rows, nearest] = np.inf
        limit = least + self.tolerance(x)
        unsure = np.flatnonzero(~((scores.min(axis=1) > limit) & np.isfinite(limit)))
        if len(unsure):
            scores[rows, nearest] = least
            self._settle(x, scores, limit, unsure, nearest)
        return nearest

    def _settle(self, x: Any, scores: Any, limit: Any, unsure: Any, nearest: Any) -> None:
        """Overwrite the nearest of some rows by the reference's choice among those within the limit."""
        size = max(_ELEMENTS // max(self.points.size, 1), 1)
        for start, stop in pool.chunks(len(unsure), size):
            part = unsure[start:stop]
            row, point = np.nonzero(~(scores[part] > limit[part, None]))
            difference = x[part[row]] - self.points[point]
            distances = np.full((len(part), len(self.points)), np.inf, dtype=x.dtype)
            distances[row, point] = np.sum(difference * difference, axis=-1)
            nearest[part] = distances.argmin(axis=1)


@definition.nearest_in_tree.on("numpy")
def nearest_in_tree(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.nearest_in_tree`: its steady backend on several threads."""
    x, n = call.x, call["n"]
    tree = _Tree(np.ascontiguousarray(call.prototypes), call.arity, call["depth"])
    out = np.empty(n, dtype=np.int64)

    def descend(start: int, stop: int) -> None:
        out[start:stop] = tree.descend(np.ascontiguousarray(x[start:stop]))

    pool.run(descend, pool.chunks(n, max(_ELEMENTS // max(call.arity * call["d"], 1), 1)))
    return out


@dataclass(frozen=True)
class _Tree:
    """A complete tree of points, breadth-first."""

    points: Any
    arity: int
    depth: int

    def descend(self, x: Any) -> Any:
        """Return the leaves of some rows."""
        leaf = np.zeros(len(x), dtype=np.int64)
        first = 0
        for level in range(self.depth):
            stop = first + self.arity ** (level + 1)
            records = self.points[first:stop].reshape(self.arity**level, self.arity, x.shape[1])
            difference = x[:, None, :] - (records if level == 0 else records[leaf])
            difference = np.multiply(difference, difference)
            leaf *= self.arity
            leaf += difference.sum(axis=-1).argmin(axis=-1)
            first = stop
        return leaf
