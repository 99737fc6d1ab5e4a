"""Activations and normalization: SciPy's values where it has them, infinities, and bits of rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ops.alike import check_rows, near, random, same
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.elementary import gaussian

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from([np.float32, np.float64])
FINITE = st.floats(-100, 100, width=32)
SPECIAL = st.sampled_from([-np.inf, np.inf, np.nan, -0.0, 0.0, 1.5, -700.0, 1e30])


@st.composite
def arrays(draw, elements=FINITE):
    shape = draw(hnp.array_shapes(max_dims=3, max_side=5))
    dtype = draw(DTYPES)
    return draw(hnp.arrays(dtype, shape, elements=elements))


@settings(max_examples=80)
@given(x=st.one_of(arrays(), arrays(SPECIAL)), data=st.data())
def test_softmax_and_logsumexp_are_scipys(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    keepdims = data.draw(st.booleans())
    with np.errstate(all="ignore"):
        soft = scipy.special.softmax(x, axis=axis)
        energy = scipy.special.logsumexp(x, axis=axis, keepdims=keepdims)
    tolerance = 1e-5 if x.dtype == np.float32 else 1e-12
    got = ops.softmax(x, axis=axis)
    assert (got.dtype, got.shape) == (x.dtype, x.shape)
    np.testing.assert_allclose(got, soft, rtol=tolerance, atol=tolerance)
    got = ops.logsumexp(x, axis=axis, keepdims=keepdims)
    assert (got.dtype, got.shape) == (x.dtype, np.shape(energy))
    np.testing.assert_allclose(got, energy, rtol=tolerance, atol=tolerance)


@given(x=st.one_of(arrays(), arrays(SPECIAL)))
def test_relu_and_prelu(x):
    rectified = ops.relu(x)
    same(rectified, np.maximum(x, x.dtype.type(0)))
    assert not np.signbit(rectified[rectified == 0]).any()
    with np.errstate(all="ignore"):
        same(ops.prelu(x, 0.25), np.where(x > 0, x, x.dtype.type(0.25) * x))
        slope = np.linspace(-1, 1, x.shape[-1]).astype(x.dtype)
        same(ops.prelu(x, slope), np.where(x > 0, x, slope * x))


def test_relu_of_integers_and_of_single_numbers():
    same(ops.relu(np.array([-3, 0, 7], dtype=np.int8)), np.array([0, 0, 7], dtype=np.int8))
    same(ops.relu(np.array([250], dtype=np.uint8)), np.array([250], dtype=np.uint8))
    assert ops.relu(np.array(-2.0)).shape == ()
    assert ops.prelu(np.float32(-2.0), 0.5) == -1.0


def test_a_slope_may_make_the_result_larger():
    x, slope = np.ones((3, 1)), -np.ones((2, 1, 4), np.float32)
    assert ops.prelu(x, slope).shape == (2, 3, 4)
    charges = {charge.kind: charge.amount for charge in ops.prelu.cost(x, slope)}
    assert charges == {"cmp": 3, "mul": 24, "select": 24}


@given(seed=SEEDS, dtype=DTYPES)
def test_swish(seed, dtype):
    x = 30 * random(seed, (5, 7), dtype)
    near(ops.swish(x), x * scipy.special.expit(x.astype(np.float64)), x)


def test_swish_of_what_is_large():
    got = ops.swish(np.array([1e4, -1e4, np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(got, np.array([1e4, -0.0, np.inf, np.nan], np.float32))


def reference(name, x, **how):
    """The definition, on NumPy's own functions."""
    with np.errstate(all="ignore"):
        return PRIMITIVES[name].reference(x, **how)


SMOOTH = {
    "erf": lambda x: np.array([math.erf(one) for one in x.ravel().tolist()]).reshape(x.shape),
    "sigmoid": scipy.special.expit,
    "gelu": lambda x: x * scipy.special.ndtr(x),
}
WIDE = np.concatenate(
    [
        np.linspace(-7.0, 7.0, 200_001),
        *(edge + np.linspace(-1e-3, 1e-3, 2001) for edge in (-6, -4, -0.46875, 0, 0.46875, 4, 6)),
        *(sign * np.geomspace(1e-307, 1e3, 20_001) for sign in (-1, 1)),
    ]
)


@pytest.mark.parametrize("run", [ops.erf, ops.erf.reference], ids=["steady", "reference"])
def test_erf_is_the_c_librarys(run):
    want = SMOOTH["erf"](WIDE)
    np.testing.assert_allclose(run(WIDE), want, rtol=2e-15, atol=0)
    narrow = WIDE.astype(np.float32)
    want = SMOOTH["erf"](narrow).astype(np.float32)
    np.testing.assert_array_max_ulp(run(narrow), want, 1)


def test_erf_at_the_ends():
    tiny = 5e-324
    for run in (ops.erf, ops.erf.reference):
        got = run(np.array([-np.inf, np.inf, np.nan, 1e308, -6.0, tiny, -tiny, 2.0**-1022, 0.0, -0.0]))
        same(got, np.array([-1.0, 1.0, np.nan, 1.0, -1.0, tiny, -tiny, math.erf(2.0**-1022), 0.0, -0.0]))
        assert np.signbit(got).tolist() == [True, False, False, False, True, False, True, False, False, True]


def test_sigmoid_and_gelu_at_the_ends():
    ends = np.array([-np.inf, -1e4, -0.0, 0.0, 1e4, np.inf, np.nan])
    for dtype in (np.float32, np.float64):
        x = ends.astype(dtype)
        same(ops.sigmoid(x), np.array([0, 0, 0.5, 0.5, 1, 1, np.nan], dtype))
        for how in ("none", "tanh"):
            got = ops.gelu(x, approximate=how)
            same(got, np.array([np.nan, 0, 0, 0, 1e4, np.inf, np.nan], dtype))
            assert np.signbit(got[1:4]).tolist() == [True, True, False]


@pytest.mark.parametrize("name", SMOOTH)
@settings(max_examples=80)
@given(x=st.one_of(arrays(), arrays(SPECIAL), arrays(st.floats(width=32))), how=st.booleans())
def test_smooth_activations(name, x, how):
    """Values, and that no face warns of what overflows on the way."""
    given = {"approximate": "tanh"} if how and name == "gelu" else {}
    got = getattr(ops, name)(x, **given)
    assert (got.dtype, got.shape) == (x.dtype, x.shape)
    with np.errstate(all="ignore"):
        want = SMOOTH[name](x.astype(np.float64))
    if name == "gelu":
        want = np.where(x == -np.inf, np.nan, want)
    tolerance = 1e-3 if given else 3e-6 if x.dtype == np.float32 else 1e-14
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    tolerance = 1e-6 if x.dtype == np.float32 else 1e-15
    np.testing.assert_allclose(got, reference(name, x, **given), rtol=tolerance, atol=tolerance)


@given(x=arrays(st.one_of(FINITE, SPECIAL, st.floats(-7, 7))))
def test_shapes_of_smooth_activations(x):
    """An odd one, one that is point-symmetric about 1/2, and what is left of a number and its opposite."""
    same(ops.erf(-x), -ops.erf(x))
    wide = x.astype(np.float64)
    known = ~np.isnan(wide)
    np.testing.assert_allclose((ops.sigmoid(wide) + ops.sigmoid(-wide))[known], 1.0, rtol=1e-15)
    finite = np.isfinite(wide)
    for how in ("none", "tanh"):
        with np.errstate(invalid="ignore"):
            left = ops.gelu(wide, approximate=how) - ops.gelu(-wide, approximate=how)
        np.testing.assert_allclose(left[finite], wide[finite], rtol=1e-15, atol=1e-300)


@given(x=arrays(st.one_of(FINITE, st.floats(-7, 7))))
def test_smooth_activations_are_monotone_and_bounded(x):
    """Within the last digits: where they are flat, neighbours are rounded as they come."""
    ordered = np.sort(x, axis=None)
    digit = float(np.finfo(x.dtype).eps)
    for name, least in (("erf", -1.0), ("sigmoid", 0.0)):
        made = getattr(ops, name)(ordered)
        assert (made >= least).all()
        assert (made <= 1.0).all()
        assert (np.diff(made) >= -4 * digit).all()
    for how in ("none", "tanh"):
        made = ops.gelu(ordered, approximate=how)
        assert (made >= -0.1701).all()
        assert (made <= np.maximum(ordered, 0)).all()
        rising = made[ordered >= -0.75]
        assert (np.diff(rising) >= -4 * digit * np.abs(rising[1:])).all()


def test_how_far_the_approximation_of_gelu_is_off():
    x = np.linspace(-8, 8, 100_001)
    off = np.abs(ops.gelu(x, approximate="tanh") - ops.gelu(x))
    assert 0.0004 < off.max() < 0.0005


@pytest.mark.parametrize(
    ("name", "how"), [*((name, {}) for name in SMOOTH), ("gelu", {"approximate": "tanh"})]
)
@given(seed=st.integers(0, 2**32 - 1), dtype=DTYPES)
def test_bits_of_a_nan_are_its_own(name, how, seed, dtype):
    """Of two NaNs a processor keeps one, by their places in a sum or a product: signs show which."""
    rng = np.random.default_rng(seed)
    values = np.array([np.nan, -np.nan, -np.inf, 1.5, -0.0], dtype)
    x = rng.choice(values, 67)
    whole = getattr(ops, name)(x, **how).view(np.uint8).reshape(67, -1)
    for part in (slice(0, 1), slice(66, 67), slice(3, 10), slice(1, 67)):
        made = getattr(ops, name)(x[part], **how)
        np.testing.assert_array_equal(made.view(np.uint8).reshape(len(made), -1), whole[part])


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_erf_in_chunks(monkeypatch, chunk):
    x = np.concatenate([random(0, 40) * 3, [np.nan, np.inf, -0.0]])
    want = ops.erf(x)
    monkeypatch.setattr(gaussian, "_CHUNK", chunk)
    same(ops.erf(x), want)
    same(ops.erf(x[::-1]), want[::-1])


@given(x=arrays(), seed=st.integers(0, 99), both=st.booleans())
def test_layer_norm(x, seed, both):
    weight, bias = random(seed, x.shape[-1], x.dtype), random(seed + 1, x.shape[-1], x.dtype)
    wide = x.astype(np.float64)
    want = (wide - wide.mean(-1, keepdims=True)) / np.sqrt(wide.var(-1, keepdims=True) + 0.1)
    got = ops.layer_norm(x, weight, bias if both else None, eps=0.1)
    assert (got.dtype, got.shape) == (x.dtype, x.shape)
    tolerance = 1e-4 if x.dtype == np.float32 else 1e-10
    np.testing.assert_allclose(got, want * weight + (bias if both else 0.0), rtol=tolerance, atol=tolerance)


def test_layer_norm_promotes_and_keeps_to_its_row():
    x = np.array([[1.0, np.inf], [3.0, 5.0], [np.nan, 0.0]], dtype=np.float32)
    got = ops.layer_norm(x, np.ones(2))
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, [[np.nan] * 2, [-1.0, 1.0], [np.nan] * 2], rtol=1e-4)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), d=st.integers(1, 140), dtype=DTYPES)
def test_rows_are_independent(seed, d, dtype):
    x, slope = 4 * random(seed, (33, d), dtype), random(seed + 1, d, dtype)
    cube = 4 * random(seed, (33, 3, d), dtype)
    for rows in (x, cube):
        check_rows(ops.softmax, rows, seed=seed)
        check_rows(ops.logsumexp, rows, seed=seed)
        check_rows(ops.relu, rows, seed=seed)
        check_rows(ops.erf, rows, seed=seed)
        check_rows(ops.sigmoid, rows, seed=seed)
        check_rows(ops.gelu, rows, seed=seed)
        check_rows(lambda part: ops.gelu(part, approximate="tanh"), rows, seed=seed)
        check_rows(lambda part: ops.prelu(part, slope), rows, seed=seed)
        check_rows(lambda part: ops.layer_norm(part, slope, slope), rows, seed=seed)
    check_rows(lambda part: ops.softmax(part, axis=1), cube, seed=seed)
    check_rows(lambda part: ops.softmax(part.T, axis=0).T, x, seed=seed)


EVERY = ["softmax", "logsumexp", "layer_norm", "relu", "prelu", *SMOOTH]


@pytest.mark.parametrize("name", EVERY)
def test_no_rows(name):
    arguments = (0.5,) if name == "prelu" else ()
    made = getattr(ops, name)(np.zeros((0, 4), np.float32), *arguments)
    assert made.shape == ((0,) if name == "logsumexp" else (0, 4))
    assert not any(charge.amount for charge in PRIMITIVES[name].cost(np.zeros((0, 4)), *arguments))


X = np.ones((2, 3))


@pytest.mark.parametrize(
    ("error", "name", "arguments", "keywords"),
    [
        *((ValueError, name, (X,), {"axis": 2}) for name in ("softmax", "logsumexp")),
        *((ValueError, name, (np.array(1.0),), {}) for name in ("softmax", "logsumexp", "layer_norm")),
        *((ValueError, name, (X[:, :0],), {}) for name in ("softmax", "logsumexp", "layer_norm")),
        *((TypeError, name, (X.astype(int),), {}) for name in ("softmax", "logsumexp", "layer_norm")),
        *((TypeError, name, (X * 1j,), {}) for name in ("softmax", "logsumexp", "layer_norm", "relu")),
        *((TypeError, name, (X.astype(int),), {}) for name in SMOOTH),
        *((TypeError, name, (X * 1j,), {}) for name in SMOOTH),
        *((TypeError, name, (X > 0,), {}) for name in SMOOTH),
        (ValueError, "gelu", (X,), {"approximate": "sigmoid"}),
        (TypeError, "relu", (X > 0,), {}),
        (TypeError, "prelu", (X.astype(int), 0.5), {}),
        (TypeError, "prelu", (X, X * 1j), {}),
        (TypeError, "prelu", (X, 1j), {}),
        (TypeError, "layer_norm", (X, X[0].astype(int)), {}),
        (ValueError, "layer_norm", (X, X), {}),
        (ValueError, "layer_norm", (X, None, X[0, :2]), {}),
    ],
)
def test_what_does_not_fit_is_told(error, name, arguments, keywords):
    with pytest.raises(error, match=name):
        getattr(ops, name)(*arguments, **keywords)
    with pytest.raises(error, match=name):
        PRIMITIVES[name].cost(*arguments, **keywords)


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match="broadcast"):
        ops.prelu.cost(X, np.ones(2))


@pytest.mark.parametrize("name", EVERY)
def test_results_are_bounded_before_they_are_made(name):
    arguments = (0.5,) if name == "prelu" else ()
    assert PRIMITIVES[name].elements(X, *arguments) >= 6


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
WRONG = [
    (TypeError, ops.softmax, (np.array([[3, 3]]),), {}),
    (TypeError, ops.swish, (EXPERT,), {}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
