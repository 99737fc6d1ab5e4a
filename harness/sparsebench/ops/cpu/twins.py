"""Products with vectors some of which are equal: equal vectors have equal products.

A product by BLAS is rounded by where its column lies in a tile, so those of two equal columns may differ in
the last bit. What is decided by them would not be what the definition decides, to which they are equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Columns"]

_SEED = 20210


class Columns:
    """Vectors that rows are multiplied with.

    Parameters
    ----------
    vectors
        Array ``(m, d)``.
    """

    def __init__(self, vectors: Any) -> None:
        self._turned = vectors.T
        first = _first_equal(vectors)
        self._twins = np.flatnonzero(first != np.arange(len(first)))
        self._first = first[self._twins]

    def products(self, x: Any) -> Any:
        """Return ``x @ vectors.T`` of rows ``(n, d)``: a new array ``(n, m)``."""
        made = np.matmul(x, self._turned)
        if len(self._twins):
            made[:, self._twins] = made[:, self._first]
        return made


def _first_equal(vectors: Any) -> Any:
    """Return the place of the first vector that equals each: its own, mostly."""
    # Equal vectors have equal sums, which are summed in one order; the others hardly ever.
    weights = np.random.default_rng(_SEED).standard_normal(vectors.shape[1])
    with np.errstate(all="ignore"):
        sums = np.add.reduce(np.ascontiguousarray(vectors * weights), axis=1)
    _, index, inverse = np.unique(sums, return_index=True, return_inverse=True)
    first = index[inverse]
    others = np.flatnonzero(first != np.arange(len(first)))
    if len(others) and not np.array_equal(vectors[others], vectors[first[others]]):
        # NaN, which has no twin, or sums that are equal by chance.
        _, index, inverse = np.unique(
            vectors, axis=0, return_index=True, return_inverse=True, equal_nan=False
        )
        first = index[inverse.reshape(-1)]  # NumPy 2.0 gives it an axis more
    return first
