"""Ranks modulo primes are ranks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sparsebench.studies.modular import PRIMES, matmul_modulo, power_modulo, rank_modulo

SMALL = arrays(np.int64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(-4, 4))


def is_prime(n):
    return all(n % d for d in range(2, int(n**0.5) + 1))


def test_the_primes_are_primes_whose_residues_multiply_within_64_bits():
    for prime in PRIMES:
        assert is_prime(prime)
        assert (prime - 1) ** 2 + prime < 2**63


@given(SMALL)
def test_the_rank_is_that_over_the_rationals(matrix):
    """Minors of such matrices are far below the primes, and far from 0 for singular values to see."""
    for prime in PRIMES:
        assert rank_modulo(matrix, prime) == np.linalg.matrix_rank(matrix)


@given(SMALL, SMALL, st.integers(0, 3))
def test_a_product_through_k_numbers_has_at_most_rank_k(a, b, k):
    product = a[:, :k] @ b[:k, :] if min(a.shape[1], b.shape[0]) >= k else None
    if product is not None and product.size:
        assert rank_modulo(product, PRIMES[0]) <= k


def test_a_rank_that_a_prime_hides_is_found_by_another():
    matrix = np.diag([PRIMES[0], 1])
    assert [rank_modulo(matrix, prime) for prime in PRIMES] == [1, 2]


@given(st.integers(0, PRIMES[0] - 1), st.integers(0, 5))
def test_powers_and_products_do_not_overflow(a, n):
    prime = PRIMES[0]
    assert power_modulo(np.array([a]), n, prime)[0] == pow(a, n, prime)
    row, column = np.full((1, 50), a), np.full((50, 1), a)
    assert matmul_modulo(row, column, prime)[0, 0] == 50 * a * a % prime
