"""Deep polynomial networks, exactly: the dimension of what a network can be, as the rank of a Jacobian.

Kileel, Trager, Bruna, *On the expressive power of deep polynomial neural networks* (NeurIPS 2019,
arXiv:1905.12207): p = W_h rho_r ... rho_r W_1, where rho_r takes powers of r. Over all weights these maps
make a variety of polynomial maps; its dimension, against that of the space around it, says whether the
network fills it.
"""

from __future__ import annotations

from itertools import pairwise
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.studies.modular import matmul_modulo, power_modulo, rank_modulo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["ambient", "dimension", "naive"]

_SPARE = 2  # points beyond as many as there are monomials


def ambient(widths: Sequence[int], power: int) -> int:
    """Return the dimension of the space of all homogeneous polynomial maps of the network's degree."""
    degree = power ** (len(widths) - 2)
    return widths[-1] * comb(widths[0] + degree - 1, degree)


def naive(widths: Sequence[int], power: int) -> int:
    """Return the expected dimension: weights, less one scale for each hidden unit; at most `ambient`."""
    weights = sum(a * b for a, b in pairwise(widths))
    return min(weights - sum(widths[1:-1]), ambient(widths, power))


def dimension(widths: Sequence[int], power: int, rng: np.random.Generator, prime: int) -> int:
    """Return the dimension of the functional variety of a network.

    It is the rank of the Jacobian of the polynomials' coefficients by the weights, at random weights. The
    coefficients are a linear function of the values at enough points in general position, so those are
    differentiated instead.

    Parameters
    ----------
    widths
        Inputs, hidden units, ..., outputs.
    power
        Of the activation, at least 2.
    rng
        Draws weights and points, uniform residues.
    prime
        A prime below 2**31, larger than the degree.
    """
    points = ambient(widths, power) // widths[-1] + _SPARE
    x = rng.integers(0, prime, (points, widths[0]))
    weights = [rng.integers(1, prime, (b, a)) for a, b in pairwise(widths)]
    inputs, slopes = [x], []
    for weight in weights[:-1]:
        h = matmul_modulo(inputs[-1], weight.T, prime)
        slopes.append(power * power_modulo(h, power - 1, prime) % prime)
        inputs.append(power_modulo(h, power, prime))
    rows = [_gradients(weights, inputs, slopes, output, prime) for output in range(widths[-1])]
    return rank_modulo(np.concatenate(rows), prime)


def _gradients(
    weights: Sequence[Integers],
    inputs: Sequence[Integers],
    slopes: Sequence[Integers],
    output: int,
    prime: int,
) -> Integers:
    """Return the derivatives of an output at all points by all weights: ``(points, weights)``."""
    back = np.zeros((len(inputs[0]), weights[-1].shape[0]), dtype=np.int64)
    back[:, output] = 1
    found = []
    for layer in reversed(range(len(weights))):
        found.append((back[:, :, None] * inputs[layer][:, None, :] % prime).reshape(len(back), -1))
        if layer:
            back = matmul_modulo(back, weights[layer], prime) * slopes[layer - 1] % prime
    return np.concatenate(found, axis=1)
