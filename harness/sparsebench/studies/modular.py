"""Ranks without rounding: Gaussian elimination modulo primes.

A rank modulo a prime is at most the rank over the rationals, and less only where the prime divides a minor;
two large primes that agree leave no practical doubt. Floating-point singular values undercount ranks of
tensors whose entries are products of many factors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["PRIMES", "matmul_modulo", "power_modulo", "rank_modulo"]

PRIMES = (2**31 - 1, 2147483629)
"""Two primes below 2**31: products of two residues fit into int64."""


def rank_modulo(matrix: NDArray[Any], prime: int) -> int:
    """Return the rank of an integer matrix over the field of residues modulo a prime.

    Parameters
    ----------
    matrix
        Integers ``(rows, columns)``.
    prime
        A prime below 2**31.
    """
    rest = np.mod(np.array(matrix, dtype=np.int64), prime)
    rank = 0
    for column in range(rest.shape[1]):
        found = np.flatnonzero(rest[rank:, column])
        if not len(found):
            continue
        pivot = rank + int(found[0])
        rest[[rank, pivot]] = rest[[pivot, rank]]
        inverse = pow(int(rest[rank, column]), -1, prime)
        rest[rank, column:] = rest[rank, column:] * inverse % prime
        below = rest[rank + 1 :, column].copy()
        rest[rank + 1 :, column:] = (
            rest[rank + 1 :, column:] - below[:, None] * rest[rank, column:] % prime
        ) % prime
        rank += 1
        if rank == rest.shape[0]:
            break
    return rank


def matmul_modulo(a: Integers, b: Integers, prime: int) -> Integers:
    """Return a matrix product modulo a prime: one term of the sums at a time, so that nothing overflows.

    Parameters
    ----------
    a
        Residues ``(..., k)``.
    b
        Residues ``(k, n)``.
    prime
        A prime below 2**31.
    """
    total = np.zeros((*a.shape[:-1], b.shape[1]), dtype=np.int64)
    for term in range(b.shape[0]):
        total = (total + a[..., term, None] * b[term]) % prime
    return total


def power_modulo(a: Integers, exponent: int, prime: int) -> Integers:
    """Return powers of residues modulo a prime, elementwise; the exponent is small."""
    result = np.ones_like(a)
    for _ in range(exponent):
        result = result * a % prime
    return result
