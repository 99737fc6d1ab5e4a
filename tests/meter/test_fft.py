"""Fourier transforms under the meter: NumPy's answers and dtypes, prices by hand, row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.metered import Meter, furnished, unwrap

DTYPES = ["float32", "float64", "complex64", "complex128"]
TO_REAL = {"irfft", "hfft", "irfftn"}
FROM_REAL = {"rfft", "ihfft", "rfftn"}
ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fftn", "ifftn", "rfftn", "irfftn"]
NORMS = ["backward", "ortho", "forward"]


def drawn(seed, shape, dtype):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype.startswith("c") else 0)
    return x.astype(dtype)


def called(name, x, **keywords):
    """The values of a call under a fresh meter, and its charges."""
    meter = Meter()
    meter.begin(np.zeros((1, 1)))
    answer = meter.xp.call(f"fft.{name}", meter.put(x) if isinstance(x, np.ndarray) else x, **keywords)
    return unwrap(meter, answer), meter.charges()


def right_dtype(name, x):
    """What the standard says that comes out."""
    wide = x.dtype.name in {"float64", "complex128"}
    return ("float64" if wide else "float32") if name in TO_REAL else "complex128" if wide else "complex64"


def close(name, got, want, x):
    assert got.shape == want.shape
    assert got.dtype == right_dtype(name, x)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ONE)
@settings(max_examples=25)
@given(
    length=st.integers(1, 20),
    n=st.none() | st.integers(1, 25),
    norm=st.sampled_from(NORMS),
    axis=st.sampled_from([0, 1, 2, -1, -3]),
)
def test_along_one_axis(name, dtype, length, n, norm, axis):
    if (dtype.startswith("c") and name in FROM_REAL) or (name in TO_REAL and n is None and length == 1):
        return
    shape = [2, 3, 2]
    shape[axis] = length
    x = drawn(length, shape, dtype)
    got, _ = called(name, x, n=n, axis=axis, norm=norm)
    close(name, got, getattr(np.fft, name)(x, n=n, axis=axis, norm=norm), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    ("s", "axes"),
    [
        (None, None),
        (None, (0,)),
        (None, (2, 0)),
        ((5, 4), (0, 1)),
        ((7, 2, 3), (-1, 0, 1)),
        ((-1, 6), (1, 2)),
    ],
)
def test_along_several_axes(name, dtype, norm, s, axes):
    if dtype.startswith("c") and name in FROM_REAL:
        return
    x = drawn(0, (3, 4, 5), dtype)
    got, _ = called(name, x, s=s, axes=axes, norm=norm)
    close(name, got, getattr(np.fft, name)(x, s=s, axes=axes, norm=norm), x)


def test_all_of_the_last_axis_is_used():
    """As the standard has it; NumPy takes -1 for the length before, which leaves out the other half."""
    x = drawn(0, (3, 5), "complex128")
    got, _ = called("irfftn", x, s=(-1, -1), axes=(0, 1))
    np.testing.assert_array_equal(got, np.fft.irfftn(x, s=(3, 8), axes=(0, 1)))


def test_along_no_axes():
    x = drawn(0, (3,), "float32")
    for got, charges in (called("fftn", x, axes=()), called("ifftn", x, axes=(), s=(), norm="ortho")):
        np.testing.assert_array_equal(got, x)
        assert got.dtype == np.complex64
        assert not charges
    assert called("fftn", np.array(1.5))[0] == 1.5


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_frequencies(name, n):
    got, charges = called(name, n, d=0.5)
    np.testing.assert_array_equal(got, getattr(np.fft, name)(n, 0.5))
    assert got.dtype == np.float64
    assert not charges
    meter = furnished()
    assert getattr(meter.xp.fft, name)(n, dtype=meter.xp.float32, device="meter").dtype == np.float32


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("axes", [None, 0, -1, (0, 1), ()])
def test_shifts(name, axes):
    x = drawn(0, (4, 5), "complex64")
    got, charges = called(name, x, axes=axes)
    np.testing.assert_array_equal(got, getattr(np.fft, name)(x, axes=axes))
    assert not charges


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts_of_one_number(name):
    """There is nothing to move, which NumPy refuses."""
    got, charges = called(name, np.array(2.5))
    assert got == 2.5
    assert got.shape == ()
    assert not charges


# Prices ----------------------------------------------------------------------------------------------------

C, R = np.zeros((3, 8), "complex64"), np.zeros((3, 8), "float32")
# 3 rows of 8: 3 levels of 4 butterflies, each of 4 + 0 multiplications and 2 + 4 additions.
FULL, HALF = (3 * 3 * 4 * 4, 3 * 3 * 4 * 6), (3 * 3 * 4 * 2, 3 * 3 * 4 * 3)
LINES = [
    ("fft", C, {}, FULL),
    ("fft", R, {}, FULL),
    ("fft", C, {"norm": "ortho"}, (FULL[0] + 48, FULL[1])),
    ("fft", C, {"norm": "forward"}, (FULL[0] + 48, FULL[1])),
    ("ifft", C, {}, (FULL[0] + 48, FULL[1])),
    ("ifft", C, {"norm": "ortho"}, (FULL[0] + 48, FULL[1])),
    ("ifft", C, {"norm": "forward"}, FULL),
    ("rfft", R, {}, HALF),
    ("rfft", R, {"norm": "forward"}, (HALF[0] + 3 * 5 * 2, HALF[1])),
    ("ihfft", R, {}, (HALF[0] + 3 * 5 * 2, HALF[1])),
    ("ihfft", R, {"norm": "forward"}, HALF),
    ("irfft", C[:, :5], {}, (HALF[0] + 24, HALF[1])),
    ("irfft", C[:, :5], {"norm": "forward"}, HALF),
    ("irfft", C, {"n": 8}, (HALF[0] + 24, HALF[1])),
    ("hfft", C[:, :5], {}, HALF),
    ("hfft", C[:, :5], {"norm": "backward", "n": 8}, HALF),
    ("fft", C, {"n": 1}, (0, 0)),
    ("fft", C, {"n": 5}, (3 * 2 * 5 * 3, 3 * 3 * 5 * 3)),  # as many levels as 8 has
    ("fft", C, {"n": 9}, (3 * 2 * 9 * 4, 3 * 3 * 9 * 4)),
    ("rfft", R, {"n": 5}, (3 * 5 * 3, 3 * 23)),  # ⌈45/2⌉ additions
    ("fft", C, {"axis": 0}, (8 * 2 * 3 * 2, 8 * 3 * 3 * 2)),
    ("fft", C[:0], {}, (0, 0)),
    # 8 columns of 3 after 3 rows of 8
    ("fftn", C, {}, (FULL[0] + 8 * 12, FULL[1] + 8 * 18)),
    ("ifftn", C, {}, (FULL[0] + 8 * 12 + 48, FULL[1] + 8 * 18)),
    ("fftn", C, {"s": (4, 8), "axes": (0, 1)}, (FULL[0] + 8 * 16, FULL[1] + 8 * 24)),
    # 5 columns of 3 after 3 rows of 8, or the other way round
    ("rfftn", R, {}, (HALF[0] + 5 * 12, HALF[1] + 5 * 18)),
    ("irfftn", C[:, :5], {}, (HALF[0] + 5 * 12 + 24, HALF[1] + 5 * 18)),
    ("rfftn", R, {"axes": (1, 0)}, (8 * 6 + 2 * 8 * 6, 8 * 9 + 2 * 8 * 9)),
]


@pytest.mark.parametrize(("name", "x", "keywords", "expected"), LINES)
def test_prices(name, x, keywords, expected):
    _, charges = called(name, x, **keywords)
    paid = {("mul", "float32"): expected[0], ("add", "float32"): expected[1]}
    assert charges == {key: amount for key, amount in paid.items() if amount}


def levels(x, counted):
    """The radix-2 algorithm on a list of complex numbers, counting real operations."""
    if len(x) == 1:
        return x
    even, odd = (levels(x[start::2], counted) for start in (0, 1))
    found = [0j] * len(x)
    for k, (e, o) in enumerate(zip(even, odd, strict=True)):
        turned = o * np.exp(-2j * math.pi * k / len(x))
        counted["mul"] += 4
        counted["add"] += 2 + 2 + 2
        found[k], found[k + len(x) // 2] = e + turned, e - turned
    return found


@pytest.mark.parametrize("n", [1, 2, 4, 8, 16, 64])
def test_the_price_is_that_of_the_radix_2_algorithm(n):
    counted = {"mul": 0, "add": 0}
    x = drawn(n, (n,), "complex128")
    np.testing.assert_allclose(levels(list(x), counted), np.fft.fft(x), atol=1e-12)
    _, charges = called("fft", x)
    assert charges == {(kind, "float64"): amount for kind, amount in counted.items() if amount}


# A row's bits ---------------------------------------------------------------------------------------

N = 40


@pytest.mark.parametrize("name", ONE + MANY)
@settings(max_examples=10)
@given(
    length=st.integers(2, 70),
    dtype=st.sampled_from(DTYPES),
    layout=st.sampled_from(["C", "F", "strided"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_rows(name, length, dtype, layout, seed):
    if name in FROM_REAL:
        dtype = dtype.replace("complex64", "float32").replace("complex128", "float64")
    x = drawn(seed, (N, 2, length), dtype)
    keywords = {"axes": (1, 2)} if name in MANY else {}

    def run(rows):
        if layout == "F":
            rows = np.asfortranarray(rows)
        if layout == "strided":
            rows = np.repeat(rows, 2, axis=-1)[..., ::2]
        meter = Meter()
        meter.begin(np.zeros(1))
        # What an engine holds of inputs may have any layout, after operations on them.
        held = meter.xp.wrap(meter.engine._shelf.store(rows))
        return meter.get(getattr(meter.xp.fft, name)(held, **keywords))

    whole, order = run(x), np.random.default_rng(seed).permutation(N)
    np.testing.assert_array_equal(run(x[order]), whole[order])
    for part in (slice(0, 1), slice(N - 1, N), slice(13, 20)):
        np.testing.assert_array_equal(run(x[part]), whole[part])


# Errors ---------------------------------------------------------------------------------------

WRONG_SHAPES = {
    "no-numbers": ("fft", C[:, :0], {}),
    "none-wanted": ("fft", C, {"n": 0}),
    "none-wanted-of-several": ("fftn", C, {"s": (0,), "axes": (0,)}),
    "negative-length": ("fftn", C, {"s": (-2,), "axes": (0,)}),
    "one-number": ("irfft", C[:, :1], {}),
    "axis": ("fft", C, {"axis": 2}),
    "number": ("fft", np.array(1.0), {}),
    "axes": ("fftn", C, {"axes": (0, 2)}),
    "axis-twice": ("fftn", C, {"axes": (0, 0)}),
    "lengths-alone": ("fftn", C, {"s": (2, 2)}),
    "lengths": ("fftn", C, {"s": (2,), "axes": (0, 1)}),
    "no-axes": ("rfftn", R, {"axes": ()}),
    "shift": ("fftshift", R, {"axes": 2}),
    "frequencies": ("fftfreq", 0, {}),
    "frequencies-apart": ("rfftfreq", 4, {"d": 0.0}),
}


@pytest.mark.parametrize(("name", "x", "keywords"), WRONG_SHAPES.values(), ids=WRONG_SHAPES.keys())
def test_wrong_shapes_are_told(name, x, keywords):
    with pytest.raises(ValueError):
        called(name, x, **keywords)


WRONG_DTYPES = {
    "integers": ("fft", np.arange(4), {}),
    "booleans": ("rfft", np.arange(4) > 1, {}),
    "complex": ("rfft", C, {}),
    "complex-of-several": ("rfftn", C, {}),
    "complex-half": ("ihfft", C, {}),
    "frequencies": ("fftfreq", 4, {"dtype": "complex64"}),
    "integer-frequencies": ("rfftfreq", 4, {"dtype": "int64"}),
    "norm": ("fft", C, {"norm": "none"}),
    "length": ("fft", C, {"n": 2.0}),
    "one-axis": ("fftn", C, {"axes": 0}),
}


@pytest.mark.parametrize(("name", "x", "keywords"), WRONG_DTYPES.values(), ids=WRONG_DTYPES.keys())
def test_wrong_kinds_are_told(name, x, keywords):
    with pytest.raises(TypeError):
        called(name, x, **keywords)
