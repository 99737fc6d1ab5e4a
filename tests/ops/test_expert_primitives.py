"""The experts' primitives: values by plain NumPy formulas."""

from __future__ import annotations

import itertools
import math

import ml_dtypes
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.alike import random
from sparsebench import ops
from sparsebench.ops import PRIMITIVES

DTYPES = st.sampled_from([np.float32, np.float64])
SEEDS = st.integers(0, 2**32 - 1)
ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "prelu": lambda x: np.where(x > 0, x, 0.25 * x),
    "swish": lambda x: x * scipy.special.expit(x),
    "k_tanh": PRIMITIVES["k_tanh"].reference,
}


def steadily(name, *given, **how):
    """Call a primitive where bits are compared: fast faces promise none."""
    return PRIMITIVES[name].on_numpy_steadily(*given, **how)


def near(got, want, *inputs):
    assert (got.dtype, got.shape) == (np.result_type(*inputs), want.shape)
    tolerance = 1e-4 if got.dtype == np.float32 else 1e-11
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


# Activations ------------------------------------------------------------------------------------------


def every_bfloat16():
    """Every finite bfloat16 number, in order, as float64."""
    with np.errstate(invalid="ignore"):  # some are signalling NaNs
        numbers = np.arange(1 << 16, dtype=np.uint16).view(ml_dtypes.bfloat16).astype(np.float64)
    return np.sort(numbers[np.isfinite(numbers)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_k_tanh_on_every_bfloat16_number(dtype):
    x = every_bfloat16()
    got = ops.k_tanh(x.astype(dtype))
    assert got.dtype == dtype
    error = np.abs(got - np.tanh(x))
    assert 0.00892 <= error.max() < 0.00893
    assert abs(abs(x[error.argmax()]) - 0.6211) < 5e-5
    np.testing.assert_array_equal(got, got.astype(ml_dtypes.bfloat16).astype(dtype))  # the results are such
    np.testing.assert_array_equal(ops.k_tanh(-x.astype(dtype)), -got)


def test_k_tanh_looks_into_its_table():
    """The paper's scheme on the bits of bfloat16 numbers."""
    bits = np.arange(0x3E80, 0x4072, dtype=np.uint16)  # 1/4 to 15/4
    table = np.array(ops.elementary.tanh.K_TANH_TABLE)
    exponent, shift, offset = table[(bits >> 4) & 31].T
    want = (exponent << 7) + (((bits & 127) >> shift) + offset)
    x = bits.view(ml_dtypes.bfloat16).astype(np.float32)
    assert (x[0], x[-1]) == (0.25, 3.765625)
    got = ops.k_tanh(x[:-1]).astype(ml_dtypes.bfloat16).view(np.uint16)
    np.testing.assert_array_equal(got, want[:-1])
    assert ops.k_tanh(x[-1:]) == 1.0


def test_k_tanh_truncates_and_takes_everything():
    x = np.array([0.6211, 0.62109375, 0.2499999, 3.76, np.inf, -np.inf, np.nan, -0.0, 3e38], np.float32)
    got = ops.k_tanh(x)
    assert got[0] == got[1]
    assert got[2] == x[2]
    assert got[3:6].tolist() == [1.0, 1.0, -1.0]
    assert np.isnan(got[6])
    assert np.signbit(got[7])
    assert got[8] == 1.0


@given(seed=SEEDS, dtype=DTYPES)
def test_swish(seed, dtype):
    x = 30 * random(seed, (5, 7), dtype)
    near(ops.swish(x), x * scipy.special.expit(x.astype(np.float64)), x)


def test_swish_of_what_is_large():
    got = ops.swish(np.array([1e4, -1e4, np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(got, np.array([1e4, -0.0, np.inf, np.nan], np.float32))


# Grouped layers ---------------------------------------------------------------------------------------


def drawn_layers(data, seed, experts, width, dtype):
    """One to three layers, with and without biases."""
    made = []
    for place in range(data.draw(st.integers(1, 3))):
        outputs = data.draw(st.integers(1, 5))
        made.append(random(seed + 2 * place, (experts, outputs, width), dtype))
        biased = data.draw(st.booleans())
        made.append(random(seed + 2 * place + 1, (experts, outputs), dtype) if biased else None)
        width = outputs
    return made[:-1] if made[-1] is None and data.draw(st.booleans()) else made


def pairs_of(stack):
    padded = [*stack, None] if len(stack) % 2 else stack
    return list(zip(padded[::2], padded[1::2], strict=True))


def through(h, pairs, subscripts, activation):
    """Layers by einsum: subscripts of rows, of each row's weights, and of outputs."""
    for place, (weights, bias) in enumerate(pairs):
        h = ACTIVATIONS[activation](h) if place else h
        h = np.einsum(subscripts, h, weights)
        h = h if bias is None else h + bias
    return h


@settings(max_examples=60)
@given(
    data=st.data(),
    seed=st.integers(0, 2**30),
    dtype=DTYPES,
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    n=st.integers(0, 6),
    k=st.sampled_from([None, 0, 1, 3]),
    index_dtype=st.sampled_from([np.int64, np.int32, np.uint8]),
)
def test_grouped_mlp(data, seed, dtype, activation, n, k, index_dtype):
    x = random(seed + 9, (n, 4), dtype)
    stack = drawn_layers(data, seed, 3, 4, dtype)
    index = np.random.default_rng(seed).integers(0, 3, (n,) if k is None else (n, k)).astype(index_dtype)
    got = ops.grouped_mlp(x, index, *stack, activation=activation)
    wide = [[None if t is None else t.astype(np.float64)[index] for t in pair] for pair in pairs_of(stack)]
    h = x.astype(np.float64) if k is None else np.repeat(x.astype(np.float64)[:, None], k, axis=1)
    want = through(h, wide, "...d,...hd->...h", activation)
    if activation == "k_tanh":  # one step of its mantissa is 1/128, and rounding may decide on it
        assert (got.dtype, got.shape) == (dtype, want.shape)
        np.testing.assert_allclose(got, want, atol=0.5)
    else:
        near(got, want, x)


def test_grouped_mlp_of_one_layer_is_grouped_linear():
    x, weights, bias = random(0, (5, 3)), random(1, (4, 2, 3)), random(2, (4, 2))
    index = np.array([[0, 3], [3, 3], [1, 0], [2, 2], [0, 1]])
    np.testing.assert_array_equal(
        steadily("grouped_mlp", x, index, weights, bias), steadily("grouped_linear", x, index, weights, bias)
    )
    slopes = [
        steadily("grouped_mlp", x, index, weights, None, weights[:, :, :2], slope=s) for s in (0.25, 0.5)
    ]
    np.testing.assert_array_equal(*slopes)  # relu has none
    slopes = [
        ops.grouped_mlp(x, index, weights, None, weights[:, :, :2], activation="prelu", slope=s)
        for s in (0.0, 0.5)
    ]
    assert (slopes[0] != slopes[1]).any()


def test_experts_beside_the_chosen_one_are_not_read():
    """Parameters that are not numbers stay where they are."""
    weights, bias = np.full((3, 2, 4), np.nan), np.full((3, 2), np.nan)
    weights[1], bias[1] = 1.0, 0.5
    got = ops.grouped_mlp(np.ones((2, 4)), np.array([1, 1]), weights, bias)
    assert got.tolist() == [[4.5, 4.5]] * 2


# Polynomials ------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**30),
    dtype=DTYPES,
    n=st.integers(0, 5),
    d=st.integers(0, 4),
    degree=st.integers(0, 4),
    outputs=st.sampled_from([(), (1,), (3,)]),
    k=st.sampled_from([None, 0, 1, 3]),
)
def test_grouped_polynomial(seed, dtype, n, d, degree, outputs, k):
    places = [
        places
        for power in range(degree + 1)
        for places in itertools.combinations_with_replacement(range(d), power)
    ]
    x = random(seed, (n, d), dtype)
    coefficients = random(seed + 1, (3, *outputs, len(places)), dtype)
    index = np.random.default_rng(seed).integers(0, 3, (n,) if k is None else (n, k))
    powers = np.ones((n, len(places)))
    for column, place in enumerate(places):
        powers[:, column] = np.prod(x.astype(np.float64)[:, place], axis=1)
    powers = powers if k is None else np.repeat(powers[:, None], k, axis=1)
    letters = "h" * len(outputs)
    want = np.einsum(f"...{letters}m,...m->...{letters}", coefficients.astype(np.float64)[index], powers)
    near(ops.grouped_polynomial(x, index, coefficients, degree=degree), want, x)


def test_the_order_of_monomials():
    """1, x1, x2, x1², x1x2, x2², at (2, 3)."""
    x, index = np.array([[2.0, 3.0]]), np.array([0])
    read = [ops.grouped_polynomial(x, index, row[None], degree=2)[0] for row in np.eye(6)]
    assert read == [1.0, 2.0, 3.0, 4.0, 6.0, 9.0]


def test_many_monomials_and_no_outputs():
    assert math.comb(40, 8) > 2**26
    x, index = np.ones((2, 32)), np.array([0, 0])
    nothing = np.zeros((1, 0, math.comb(40, 8)), np.float32)
    assert ops.grouped_polynomial(x, index, nothing, degree=8).shape == (2, 0)
    assert PRIMITIVES["grouped_polynomial"].elements(x, index, nothing, degree=8) == 0


# Constants, sums and masks ----------------------------------------------------------------------------


@given(seed=SEEDS, dtype=DTYPES, n=st.integers(0, 6), k=st.integers(0, 4), wide=st.booleans())
def test_constants_and_sums(seed, dtype, n, k, wide):
    rng = np.random.default_rng(seed)
    constants = random(seed, (5, 3) if wide else (5,), dtype)
    index, gates = rng.integers(0, 5, (n, k)), random(seed + 1, (n, k), dtype)
    near(ops.gather_constant(index, constants), constants[index].sum(axis=1), constants)
    want = np.einsum("nk,nk...->n...", gates, constants[index])
    near(ops.gather_constant(index, constants, gates), want, constants)
    near(ops.segment_combine(constants[index], gates), want, constants)
    if k:
        np.testing.assert_array_equal(ops.gather_constant(index[:, 0], constants), constants[index[:, 0]])


def test_dtypes_meet():
    half, double = np.float32([[0.5, 2.0]]), np.array([[1.0, 3.0]])
    assert ops.segment_combine(half, double).dtype == np.float64
    index = np.array([[0, 1]])
    assert ops.gather_constant(index, half[0], double).tolist() == [6.5]
    assert ops.gather_constant(index, half[0]).dtype == np.float32
    assert ops.grouped_polynomial(double, index[:, 0], half[:, :1], degree=0).dtype == np.float64
    assert ops.top_k_mask_linear(half, double[0], k=1).tolist() == [6.0]


@given(seed=SEEDS, dtype=DTYPES, n=st.integers(0, 6), t=st.integers(1, 6), wide=st.booleans(), data=st.data())
def test_top_k_mask_linear(seed, dtype, n, t, wide, data):
    k = data.draw(st.integers(1, t))
    units, readout = random(seed, (n, t), dtype), random(seed + 1, (t, 3) if wide else (t,), dtype)
    bias = random(seed + 2, (3,) if wide else (), dtype)
    mask = np.zeros((n, t))
    for row, order in enumerate(np.argsort(-units, axis=1, kind="stable")[:, :k]):
        mask[row, order] = 1.0
    want = np.einsum("nt,t...->n...", mask * np.maximum(units, 0), readout)
    near(ops.top_k_mask_linear(units, readout, k=k), want, units)
    near(ops.top_k_mask_linear(units, readout, np.asarray(bias), k=k), want + bias, units)


def test_the_first_among_equal_units_is_kept():
    units = np.array([[1.0, 2.0, 2.0, 2.0]])
    assert ops.top_k_mask_linear(units, np.array([1.0, 10.0, 100.0, 1000.0]), k=2).tolist() == [220.0]


# Merged experts ---------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    data=st.data(),
    seed=st.integers(0, 2**30),
    dtype=DTYPES,
    activation=st.sampled_from(["relu", "prelu", "swish"]),
    n=st.integers(0, 4),
    s=st.sampled_from([None, 0, 1, 5]),
)
def test_merged_mlp(data, seed, dtype, activation, n, s):
    x = random(seed + 9, (n, 4) if s is None else (n, s, 4), dtype)
    gates = random(seed + 8, (n, 3), dtype)
    stack = drawn_layers(data, seed, 3, 4, dtype)
    merged = [
        [None if t is None else np.einsum("ne,e...->n...", gates, t.astype(np.float64)) for t in pair]
        for pair in pairs_of(stack)
    ]
    h = x.astype(np.float64) if s is not None else x.astype(np.float64)[:, None]
    merged = [(weights, None if bias is None else bias[:, None]) for weights, bias in merged]
    want = through(h, merged, "nsd,nhd->nsh", activation)
    want = want if s is not None else want[:, 0]
    near(ops.merged_mlp(x, gates, *stack, activation=activation), want, x)
    if len(stack) <= 2:
        near(ops.merge_linear(x, gates, *stack), want, x)


def experts(seed, d=5, hidden=7, outputs=3, many=4):
    shapes = (many, hidden, d), (many, hidden), (many, outputs, hidden), (many, outputs)
    return [random(seed + place, shape) for place, shape in enumerate(shapes)]


@given(seed=st.integers(0, 2**30))
def test_uniform_gates_are_a_plain_average(seed):
    x, stack = random(seed, (3, 6, 5)), experts(seed)
    gates = np.full((3, 4), 0.25)
    average = [table.mean(axis=0, keepdims=True) for table in stack]
    got = ops.merged_mlp(x, gates, *stack, activation="swish")
    rows = ops.grouped_mlp(x.reshape(18, 5), np.zeros(18, np.int64), *average, activation="swish")
    np.testing.assert_allclose(got, rows.reshape(3, 6, 3), rtol=1e-12, atol=1e-12)


@given(seed=st.integers(0, 2**30))
def test_one_hot_gates_are_that_expert_exactly(seed):
    x, stack = random(seed, (6, 3, 5)), experts(seed)
    chosen = np.random.default_rng(seed).integers(0, 4, 6)
    got = steadily("merged_mlp", x, np.eye(4)[chosen], *stack, activation="swish")
    alone = [
        steadily("merged_mlp", x[[n]], np.ones((1, 1)), *(t[[expert]] for t in stack), activation="swish")
        for n, expert in enumerate(chosen)
    ]
    np.testing.assert_array_equal(got, np.concatenate(alone))


@given(seed=st.integers(0, 2**30))
def test_merging_linear_experts_is_ensembling_them(seed):
    x, gates, (weights, bias, *_) = random(seed, (4, 6, 5)), random(seed + 9, (4, 4)), experts(seed)
    each = np.einsum("nsd,ehd->nsehd", x, weights).sum(-1) + bias
    ensemble = np.einsum("ne,nseh->nsh", gates, each)
    np.testing.assert_allclose(ops.merge_linear(x, gates, weights, bias), ensemble, rtol=1e-11, atol=1e-11)


def test_merging_no_experts_gives_nothing():
    got = ops.merge_linear(np.ones((2, 3)), np.zeros((2, 0)), np.zeros((0, 4, 3)), np.zeros((0, 4)))
    assert got.tolist() == [[0.0] * 4] * 2


# Circuits ---------------------------------------------------------------------------------------------


@given(
    seed=SEEDS,
    dtype=DTYPES,
    n=st.integers(0, 4),
    positions=st.integers(1, 7),
    stride=st.integers(1, 8),
    data=st.data(),
)
def test_convac_layer(seed, dtype, n, positions, stride, data):
    window = data.draw(st.integers(1, positions))
    x, weights = random(seed, (n, positions, 3), dtype), random(seed + 1, (window, 4, 3), dtype)
    starts = range(0, positions - window + 1, stride)
    want = np.empty((n, len(starts), 4))
    for place, start in enumerate(starts):
        mapped = np.einsum("jdm,njm->njd", weights, x[:, start : start + window].astype(np.float64))
        want[:, place] = mapped.prod(axis=1)
    near(ops.convac_layer(x, weights, stride=stride), want, x)


def test_a_long_window_over_nothing_is_no_work():
    x, weights = np.zeros((0, 1 << 40, 3)), np.zeros((1 << 40, 0, 3))
    assert ops.convac_layer(x, weights).shape == (0, 1, 0)
