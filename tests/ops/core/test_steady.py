"""A row gets the same bits whatever rows stand beside it, in whatever order and number."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.ops.core import steady, tiles

WIDTHS = st.one_of(
    st.integers(1, 40), st.sampled_from([47, 48, 64, 65, 100, 127, 128, 129, 200, 255, 256, 257, 300])
)
DTYPES = st.sampled_from([np.float32, np.float64])
N = 150
MANY = 1300  # rows that take tiles of all heights


def same(got, want):
    """Equal to the last bit, the signs of zeros and NaNs too."""
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    assert np.ascontiguousarray(got).tobytes() == np.ascontiguousarray(want).tobytes()


@pytest.fixture
def fresh():
    """No trial's outcome is remembered from before, nor after."""
    tiles.tiles_of.cache_clear()
    yield
    tiles.tiles_of.cache_clear()


def random(seed, shape, dtype):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def check_rows(function, x, seed):
    """Whole, permuted, reversed, a part, and rows alone: all agree."""
    whole = function(x)
    order = np.random.default_rng(seed).permutation(len(x))
    same(function(x[order]), whole[order])
    same(function(x[::-1]), whole[::-1])
    same(function(np.asfortranarray(x)), whole)
    same(function(np.repeat(x, 2, axis=-1)[..., ::2]), whole)
    for part in (slice(3, 4), slice(11, 18), slice(len(x) - 1, len(x)), slice(40, 121)):
        same(function(x[part]), whole[part])


@settings(max_examples=25)
@given(d=WIDTHS, m=WIDTHS, dtype=DTYPES, turned=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_matrix(d, m, dtype, turned, seed):
    matrix = random(seed, (m, d), dtype).T if turned else random(seed, (d, m), dtype)
    x = random(seed + 1, (N, d), dtype)
    check_rows(lambda rows: steady.matmul(rows, matrix), x, seed)
    np.testing.assert_allclose(steady.matmul(x, matrix), x @ matrix, rtol=1e-3, atol=1e-3 * d)
    same(steady.matmul(x[5], matrix), steady.matmul(x, matrix)[5])


@settings(max_examples=20)
@given(
    d=WIDTHS,
    m=WIDTHS,
    dtype=DTYPES,
    turned=st.booleans(),
    n=st.integers(1, MANY),
    seed=st.integers(0, 2**32 - 1),
)
def test_many_rows(d, m, dtype, turned, n, seed):
    matrix = random(seed, (m, d), dtype).T if turned else random(seed, (d, m), dtype)
    x = random(seed + 1, (MANY, d), dtype)
    whole, order = steady.matmul(x, matrix), np.random.default_rng(seed).permutation(MANY)
    same(steady.matmul(x[order], matrix), whole[order])
    same(steady.matmul(x[:n], matrix), whole[:n])
    for row in order[:8]:
        same(steady.matmul(x[row : row + 1], matrix), whole[row : row + 1])
        same(steady.matmul(x[row : row + 7], matrix), whole[row : row + 7])


@settings(max_examples=40)
@given(d=WIDTHS, dtype=DTYPES, seed=st.integers(0, 2**32 - 1))
def test_vector(d, dtype, seed):
    vector = random(seed, d, dtype)
    x = random(seed + 1, (N, d), dtype)
    check_rows(lambda rows: steady.matmul(rows, vector), x, seed)
    same(steady.matmul(x[5], vector), steady.matmul(x, vector)[5])


@settings(max_examples=15)
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


@settings(max_examples=6)
@given(d=WIDTHS, m=WIDTHS, seed=st.integers(0, 99))
def test_complex_numbers(d, m, seed):
    parts = random(seed, (2, MANY, d), np.float64)
    x, matrix = parts[0] + 1j * parts[1], random(seed + 1, (d, m), np.complex128) * 1j
    check_rows(lambda rows: steady.matmul(rows, matrix), x, seed)
    np.testing.assert_allclose(steady.matmul(x, matrix), x @ matrix, rtol=1e-9, atol=1e-9)


def larger(made, where):
    made[where] = np.nextafter(made[where], np.inf)


def spoilt(spoil):
    """A BLAS some of whose numbers come out a little larger."""

    def product(self, blocks, matrix, out):
        for start, stop in self.way:
            made = sum(
                blocks[:, :, k, None] * matrix[k, start:stop] for k in range(len(matrix))
            )  # even itself
            spoil(self.height, made)
            out[:, :, start:stop] = made

    return product


def every_third_row(_, made):
    larger(made, np.s_[:, 1::3])


def some_rows_run(_, made):
    larger(made, np.s_[:, 20:])


def edges_of_wide_pieces(_, made):
    if made.shape[2] >= 16:
        larger(made, np.s_[:, 1::2, :8])
        larger(made, np.s_[:, 1::2, -8:])


def all_wide_pieces(_, made):
    if made.shape[2] >= 16:
        larger(made, np.s_[:, 1::2])


def low_tiles(height, made):
    if height < 100:
        larger(made, np.s_[:])


def places(tile):
    return set(np.arange(tile.height)[tile.places if isinstance(tile.places, slice) else list(tile.places)])


SPOILT = {
    every_third_row: lambda tile: (
        len(places(tile)) == tile.used and not any(p % 3 == 1 for p in places(tile))
    ),
    some_rows_run: lambda tile: tile.height <= 20 or tile.places == slice(20, tile.height),
    edges_of_wide_pieces: lambda tile: tile.used == tile.height and tile.way == ((0, 64), (0, 8), (56, 64)),
    all_wide_pieces: lambda tile: tile.used == tile.height and len(tile.way) == 8,
    low_tiles: lambda tile: tile.used == tile.height > 100,
}


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_uneven_blas(spoil, monkeypatch):
    """Whatever differs between the places of tiles, rows get the same bits."""
    monkeypatch.setattr(tiles.Tile, "_product", spoilt(spoil))
    matrix, x = random(0, (24, 64), np.float64), random(1, (MANY, 24), np.float64)
    found = tiles.tiles_of(matrix.shape, False, "d")
    assert found
    assert all(map(SPOILT[spoil], found))
    check_rows(lambda rows: steady.matmul(rows, matrix), x, 0)
    np.testing.assert_allclose(steady.matmul(x, matrix), x @ matrix)


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("bound", ["_TRIED", "_WORK"])
def test_trials_of_large_matrices_are_bounded(bound, monkeypatch):
    """Only the lowest tile is tried where all are too much work."""
    monkeypatch.setattr(tiles, bound, 1)
    matrix, x = random(0, (64, 3), np.float64), random(1, (N, 64), np.float64)
    assert {tile.height for tile in tiles.tiles_of(matrix.shape, False, "d")} == {tiles.HEIGHTS[-1]}
    check_rows(lambda rows: steady.matmul(rows, matrix), x, 0)


def test_not_a_number_and_infinity_stay_in_their_row():
    matrix, x = random(0, (24, 40), np.float32), random(1, (MANY, 24), np.float32)
    x[7, 3], x[600, 2] = np.nan, np.inf
    others = np.delete(np.arange(MANY), [7, 600])
    with np.errstate(invalid="ignore"):
        whole = steady.matmul(x, matrix)
        same(steady.matmul(x[600:601], matrix), whole[600:601])
    same(whole[others], steady.matmul(x[others], matrix))
    assert np.isnan(whole[7]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_trials_of_a_very_wide_product_take_little_memory(dtype):
    x, matrix = random(0, (45, 65535), dtype), random(1, (65535, 1), dtype)
    tiles.tiles_of.cache_clear()
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


FOLDS = [np.sum, np.prod, np.max, np.min, np.argmax, np.any]


def numbers(seed, shape, dtype, kind):
    """Normal numbers, or many zeros of both signs and NaNs of both."""
    if kind == "normal":
        return random(seed, shape, dtype)
    few = [0.0, -0.0, -1.0, np.nan, -np.nan]
    return np.random.default_rng(seed).choice(few, shape, p=[0.4, 0.4, 0.1, 0.05, 0.05]).astype(dtype)


@settings(max_examples=80)
@given(
    function=st.sampled_from(FOLDS),
    shape=st.tuples(st.integers(1, 40), st.one_of(st.integers(1, 40), st.sampled_from([129, 300]))),
    axes=st.sampled_from([(1,), (2,), (1, 2)]),
    dtype=DTYPES,
    kind=st.sampled_from(["normal", "special"]),
    seed=st.integers(0, 99),
)
def test_folds(function, shape, axes, dtype, kind, seed):
    x = numbers(seed, (N, *shape), dtype, kind)
    with np.errstate(all="ignore"):
        check_rows(lambda rows: steady.fold(function, rows, axes), x, seed)
        np.testing.assert_allclose(
            steady.fold(function, x, axes),
            function(x, axis=axes) if function is not np.argmax else steady.fold(function, x, axes),
            rtol=1e-3,
            atol=1e-3 if function is np.sum else 0,
        )


@settings(max_examples=40)
@given(
    function=st.sampled_from(FOLDS),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    axis=st.sampled_from([0, 1]),
    dtype=DTYPES,
    kind=st.sampled_from(["normal", "special"]),
    seed=st.integers(0, 99),
)
def test_folds_of_rows_along_the_last_axis(function, shape, axis, dtype, kind, seed):
    x = numbers(seed, (*shape, N), dtype, kind)

    def transposed(rows):
        return np.moveaxis(steady.fold(function, np.moveaxis(rows, 0, -1), (axis,)), -1, 0)

    with np.errstate(all="ignore"):
        check_rows(transposed, np.moveaxis(x, -1, 0), seed)


@pytest.mark.parametrize("length", [5000, 20000])
@pytest.mark.parametrize("axis", [1, 2])
def test_long_folds(length, axis):
    """Longer than the buffers of NumPy's loops."""
    x = random(0, (N // 10, length, 2) if axis == 1 else (N // 10, 2, length), np.float32)
    whole = steady.fold(np.sum, x, (axis,))
    for row in range(len(x)):
        same(steady.fold(np.sum, x[row : row + 1], (axis,)), whole[row : row + 1])
    same(steady.fold(np.sum, np.asfortranarray(x), (axis,)), whole)


def test_fold_shapes():
    x = np.arange(24.0).reshape(2, 3, 4)
    for axes in ((0,), (1,), (2, 1), (0, 2), (1, 0), (0, 1, 2), ()):
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


@settings(max_examples=30)
@given(dtype=DTYPES, seed=st.integers(0, 99), n=st.integers(1, 9), d=st.integers(1, 9))
def test_functions_of_any_layout(dtype, seed, n, d):
    """Layouts decide whether operands are copied, never the numbers."""
    x, y = random(seed, (n, d), dtype), random(seed + 1, (n, d), dtype)
    want = steady.evaluate(np.arctan2, x, y)
    for left in (x, np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2]):
        for right in (y, np.asfortranarray(y), y[::-1][::-1]):
            same(steady.evaluate(np.arctan2, left, right), want)
    same(steady.evaluate(np.arctan2, x, y[:, :1]), np.arctan2(x, np.repeat(y[:, :1], d, axis=1)))
    assert steady.evaluate(np.arctan2, x[:0], y[:0]).shape == (0, d)
