"""Kernels on the Boolean cube that depend on inner products alone: eigenvalues, one for each degree.

Kothari and Livni, *On the expressive power of kernel methods and the efficiency of kernel learning by
association schemes* (arXiv:1902.04782): norms are all alike on the cube, so such a kernel is n + 1 numbers;
its eigenvectors are the parities, and all parities of k bits share one eigenvalue.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["eigenvalues", "krawtchouk", "measured_eigenvalues"]


def krawtchouk(degree: int, flipped: int, n: int) -> int:
    """Return the sum of all parities of so many bits at a point in which some of n bits are flipped.

    Krawtchouk's polynomial (1929): the sum over j of (-1)^j C(flipped, j) C(n - flipped, degree - j).
    """
    return sum((-1) ** j * comb(flipped, j) * comb(n - flipped, degree - j) for j in range(degree + 1))


def eigenvalues(kernel: Callable[[float], float], n: int) -> list[float]:
    """Return the eigenvalues of a kernel's matrix over the whole cube, by degree 0 ... n.

    Parameters
    ----------
    kernel
        Inner product of two points of {-1, 1}^n -> value.
    n
        Bits.

    Returns
    -------
    list of float
        Of degree k, with multiplicity C(n, k): the sum over y of kernel(<1, y>) times the parity of the
        first k bits of y.
    """
    # The sum over the points at a distance of one parity is that of all parities, over their number.
    return [
        sum(kernel(float(n - 2 * d)) * comb(n, d) * krawtchouk(k, d, n) / comb(n, k) for d in range(n + 1))
        for k in range(n + 1)
    ]


def measured_eigenvalues(kernel: Callable[[float], float], n: int) -> NDArray[np.float64]:
    """Return all 2**n eigenvalues of the matrix itself, largest first: what `eigenvalues` is checked by."""
    points = 1.0 - 2.0 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    matrix = np.vectorize(kernel)(points @ points.T)
    return np.linalg.eigvalsh(matrix)[::-1]
