"""Shorthand for tests: a row gets the same bits in every batch."""

from __future__ import annotations

import numpy as np


def same(got, want):
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)  # numbers are equal to the last bit


def random(seed, shape, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


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
