"""Shorthand for tests: numbers that are drawn, and that a row gets the same bits in every batch."""

from __future__ import annotations

import numpy as np


def same(got, want):
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)  # numbers are equal to the last bit


def random(seed, shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def exact(seed, shape, dtype=np.float64):
    """Numbers whose sums and products are exact, some of them equal."""
    return (np.random.default_rng(seed).integers(-6, 7, shape) / 4).astype(dtype)


def near(got, want, *inputs):
    """Real numbers of the dtype that inputs are promoted to, close to what is wanted."""
    assert (got.dtype, got.shape) == (np.result_type(*inputs), want.shape)
    tolerance = 1e-4 if got.dtype == np.float32 else 1e-11
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def with_twins(rng, shape, dtype):
    """Vectors some of which are equal; each one's first twin."""
    vectors = rng.standard_normal(shape).astype(dtype)
    first = np.arange(shape[0])
    for place in range(1, shape[0]):
        if rng.random() < 0.5:
            first[place] = first[rng.integers(place)]
    return vectors[first], first


def check_rows(function, *rows, seed=0):
    """Rows permuted, backwards, in another layout, seven of them and one alone: all get the same bits."""
    whole = function(*rows)
    n = len(rows[0])
    order = np.random.default_rng(seed).permutation(n)
    same(function(*(x[order] for x in rows)), whole[order])
    same(function(*(x[::-1] for x in rows)), whole[::-1])
    same(function(*map(np.asfortranarray, rows)), whole)
    for part in (slice(0, 1), slice(n // 2, n // 2 + 1), slice(n - 1, n), slice(3, 10)):
        same(function(*(x[part] for x in rows)), whole[part])
