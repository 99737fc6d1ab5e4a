"""A row gets the same bits whatever rows stand beside it, in whatever order and number."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.ops import steady

WIDTHS = st.one_of(
    st.integers(1, 40), st.sampled_from([47, 48, 64, 65, 100, 127, 128, 129, 200, 255, 256, 257, 300])
)
DTYPES = st.sampled_from([np.float32, np.float64])
N = 150


def same(got, want):
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)  # numbers are equal to the last bit


def random(seed, shape, dtype):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def check_rows(function, x, seed):
    """Whole, permuted, reversed, a part, and rows alone: all agree."""
    whole = function(x)
    order = np.random.default_rng(seed).permutation(len(x))
    same(function(x[order]), whole[order])
    same(function(x[::-1]), whole[::-1])
    same(function(np.asfortranarray(x)), whole)
    for part in (slice(3, 4), slice(11, 18), slice(len(x) - 1, len(x)), slice(40, 121)):
        same(function(x[part]), whole[part])


@settings(max_examples=40)
@given(d=WIDTHS, m=WIDTHS, dtype=DTYPES, turned=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_matrix(d, m, dtype, turned, seed):
    matrix = random(seed, (m, d), dtype).T if turned else random(seed, (d, m), dtype)
    x = random(seed + 1, (N, d), dtype)
    check_rows(lambda rows: steady.matmul(rows, matrix), x, seed)
    np.testing.assert_allclose(steady.matmul(x, matrix), x @ matrix, rtol=1e-3, atol=1e-3 * d)
    same(steady.matmul(x[5], matrix), steady.matmul(x, matrix)[5])


@settings(max_examples=40)
@given(d=WIDTHS, dtype=DTYPES, seed=st.integers(0, 2**32 - 1))
def test_vector(d, dtype, seed):
    vector = random(seed, d, dtype)
    x = random(seed + 1, (N, d), dtype)
    check_rows(lambda rows: steady.matmul(rows, vector), x, seed)
    same(steady.matmul(x[5], vector), steady.matmul(x, vector)[5])


@settings(max_examples=25)
@given(d=WIDTHS, m=WIDTHS, p=st.integers(1, 5), dtype=DTYPES, seed=st.integers(0, 2**32 - 1))
def test_stacks(d, m, p, dtype, seed):
    matrix = random(seed, (d, m), dtype)
    x = random(seed + 1, (N, p, d), dtype)
    check_rows(lambda rows: steady.matmul(rows, matrix), x, seed)
    experts = random(seed, (3, d, m), dtype)
    check_rows(lambda rows: np.moveaxis(steady.matmul(rows, experts), 0, 1), x[:, 0], seed)
    np.testing.assert_allclose(steady.matmul(x[:, 0], experts), x[:, 0] @ experts, rtol=1e-3, atol=1e-3 * d)


@settings(max_examples=25)
@given(d=WIDTHS, m=st.integers(1, 9), p=st.integers(1, 5), dtype=DTYPES, seed=st.integers(0, 2**32 - 1))
def test_pairs(d, m, p, dtype, seed):
    x, own = random(seed, (N, p, d), dtype), random(seed + 1, (N, d, m), dtype)
    whole = steady.matmul(x, own)
    order = np.random.default_rng(seed).permutation(N)
    same(steady.matmul(x[order], own[order]), whole[order])
    same(steady.matmul(x[7:8], own[7:8]), whole[7:8])
    same(steady.matmul(x[:, :1], own), whole[:, :1])
    np.testing.assert_allclose(whole, x @ own, rtol=1e-3, atol=1e-3 * d)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((0, 3), (3, 2)),
        ((4, 0), (0, 2)),
        ((4, 3), (3, 0)),
        ((3,), (3,)),
        ((3,), (2, 3, 4)),
        ((2, 1, 4, 3), (5, 3, 2)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_shapes_and_dtypes_are_numpys(a, b, dtype):
    left, right = np.ones(a, dtype), np.ones(b, dtype)
    same(steady.matmul(left, right), np.matmul(left, right))


@given(d=WIDTHS, m=st.integers(1, 9), dtype=DTYPES, seed=st.integers(0, 99))
@settings(max_examples=20)
def test_matrices_of_any_layout(d, m, dtype, seed):
    wide = random(seed, (2 * d, 2 * m), dtype)
    x = random(seed + 1, (N, d), dtype)
    for matrix in (wide[::2, ::2], wide[d - 1 :: -1, :m], np.broadcast_to(wide[:1, :m], (d, m))):
        check_rows(lambda rows, matrix=matrix: steady.matmul(rows, matrix), x, seed)
        same(steady.matmul(x, matrix), steady.matmul(x, np.ascontiguousarray(matrix)))


def test_mixed_dtypes():
    made = steady.matmul(np.ones((3, 2), np.float32), np.ones((2, 2), np.float64))
    same(made, np.full((3, 2), 2.0))


def test_uneven_blas(monkeypatch):
    """Where the places of a tile differ, only places of one kind are used."""
    whole = steady._Tile.product

    def uneven(self, tiles, matrix):
        made = whole(self, tiles, matrix).copy()
        made[:, 1::3] = np.nextafter(made[:, 1::3], np.inf)  # every third row comes out a little larger
        return made

    monkeypatch.setattr(steady._Tile, "product", uneven)
    steady._tiles.cache_clear()
    matrix, x = random(0, (24, 7), np.float32), random(1, (N, 24), np.float32)
    tiles = steady._tiles(matrix.shape, False, "float32")
    assert all(isinstance(tile.places, tuple) and 1 not in tile.places for tile in tiles)
    check_rows(lambda rows: steady.matmul(rows, matrix), x, 0)
    steady._tiles.cache_clear()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_trials_of_a_very_wide_product_take_little_memory(dtype):
    x, matrix = random(0, (45, 65535), dtype), random(1, (65535, 1), dtype)
    steady._tiles.cache_clear()
    tracemalloc.start()
    try:
        whole = steady.matmul(x, matrix)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 200e6
    order = np.random.default_rng(2).permutation(len(x))
    same(steady.matmul(x[order], matrix), whole[order])
    for part in (slice(0, 1), slice(7, 8), slice(5, 20), slice(3, 37), slice(44, 45)):
        same(steady.matmul(x[part], matrix), whole[part])
    np.testing.assert_allclose(whole, x @ matrix, rtol=1e-3, atol=0.1)


@settings(max_examples=40)
@given(
    function=st.sampled_from([np.sum, np.prod, np.max, np.argmax]),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 300)),
    dtype=DTYPES,
    seed=st.integers(0, 99),
)
def test_folds(function, shape, dtype, seed):
    x = random(seed, (N, *shape), dtype)
    check_rows(lambda rows: steady.fold(function, rows, (2,)), x, seed)
    turned = np.ascontiguousarray(np.moveaxis(x, 0, -1))  # rows along the last axis
    whole = steady.fold(function, turned, (1,))
    same(np.moveaxis(whole, -1, 0), steady.fold(function, x, (2,)))
    same(steady.fold(function, turned[..., 4:5], (1,)), whole[..., 4:5])


def test_fold_shapes():
    x = np.arange(24.0).reshape(2, 3, 4)
    for axes in ((0,), (1, 2), (0, 1, 2), ()):
        for keepdims in (False, True):
            want = np.sum(x, axis=axes, keepdims=keepdims)
            same(np.asarray(steady.fold(np.sum, x, axes, keepdims=keepdims)), np.asarray(want))


UNARY = [
    np.exp,
    np.log1p,
    np.sin,
    np.cos,
    np.tan,
    np.tanh,
    np.sinh,
    np.cosh,
    np.expm1,
    np.log,
    np.log2,
    np.arctan,
]


@settings(max_examples=60)
@given(
    function=st.sampled_from(UNARY),
    scale=st.sampled_from([0.3, 3.0, 80.0, 1e6]),
    dtype=DTYPES,
    seed=st.integers(0, 99),
)
def test_functions(function, scale, dtype, seed):
    x = np.abs(random(seed, (N, 3), dtype)) * dtype(scale)
    with np.errstate(all="ignore"):
        check_rows(lambda rows: steady.evaluate(function, rows), x, seed)
        same(steady.evaluate(function, x[3, 1]), steady.evaluate(function, x)[3, 1])


@settings(max_examples=30)
@given(dtype=DTYPES, seed=st.integers(0, 99))
def test_powers_of_rows(dtype, seed):
    x = np.abs(random(seed, N, dtype)) + dtype(0.1)
    exponent = np.random.default_rng(seed).choice([-1.0, 0.5, 2.0, 2.7], N).astype(dtype)
    whole = steady.evaluate(np.power, x, exponent)
    for row in range(0, N, 17):
        alone = slice(row, row + 1)
        same(steady.evaluate(np.power, x[alone], exponent[alone]), whole[alone])
    assert steady.evaluate(np.power, x[0].reshape(()), 2.0).shape == ()
