"""Gates of the largest logits, on every backend."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import equal, on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import quarters
from cuda.counting import charged, counted, device
from ops.alike import exact, random, with_twins
from ops.on_cpu import BACKENDS, EACH, check, fast
from ops.refusals import each, told_by_all
from sparsebench import ops

FLOATS = (np.float32, np.float64)
NAN = np.nan
SEEDS = st.integers(0, 2**32 - 1)


def test_the_largest_logits_share_one():
    x, weights = (
        np.array([[1.0, 0.0], [0.0, 0.0], [NAN, 0.0]]),
        np.array([[0.0, 9.0], [2.0, 0.0], [2.0, 1.0]]),
    )
    experts, gates = ops.top_k_gate(x, weights, k=2)
    assert experts.tolist() == [[1, 2], [0, 1], [0, 1]]
    assert gates[:2].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert np.isnan(gates[2]).all()
    experts, gates = ops.top_k_gate(x[:2], weights, np.array([np.log(4.0), -2.0, -3.0]), k=2)
    assert experts.tolist() == [[0, 1], [0, 1]]
    np.testing.assert_allclose(gates, [[0.8, 0.2], [4 / (4 + np.exp(-2)), 1 / (4 * np.exp(2) + 1)]])


@given(seed=SEEDS, k=st.integers(1, 5), d=st.integers(0, 3), shifted=st.booleans())
def test_gates_are_a_softmax_over_the_chosen(seed, k, d, shifted):
    x, weights = exact(seed, (6, d)), exact(seed + 1, (5, d))
    bias = exact(seed + 2, 5) if shifted else None
    logits = x @ weights.T + (0.0 if bias is None else bias)
    experts, gates = ops.top_k_gate(x, weights, bias, k=k)
    np.testing.assert_array_equal(experts, np.argsort(-logits, axis=1, kind="stable")[:, :k])
    powers = np.exp(np.take_along_axis(logits, experts, axis=1))
    np.testing.assert_allclose(gates, powers / powers.sum(axis=1, keepdims=True))
    assert experts.dtype == np.int64


def test_a_gate_has_the_dtype_of_its_logits():
    x, weights = random(0, (3, 2), np.float32), random(1, (4, 2), np.float32)
    assert ops.top_k_gate(x, weights, k=1)[1].dtype == np.float32
    assert ops.top_k_gate(x, weights, random(2, 4), k=1)[1].dtype == np.float64


@pytest.mark.parametrize("k", [0, 8])
def test_a_number_that_is_bounded_by_an_axis_is_told_with_both_bounds(k):
    with pytest.raises(ValueError, match=rf"^top_k_gate: k must be in \[1, 7\], got {k}$"):
        ops.top_k_gate(X, W, k=k)


# On the processor: its fast backends ------------------------------------------------------------------


@EACH
@np.errstate(all="ignore")
def test_nan_and_infinity(which):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((300, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = 0.0
    x[rng.random(x.shape) < 0.1] = 1.0
    weights = rng.standard_normal((9, 6)).astype(np.float32)
    bias = weights[:, 1].copy()
    bias[4], bias[5], bias[6] = np.nan, -np.inf, np.inf
    for k in (1, 3, 9):
        check(which, ops.top_k_gate, (x, weights, bias), {"k": k})


@pytest.mark.parametrize("which", [*BACKENDS, "steady"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.sampled_from([1, 2, 3, 7, 33, 200]),
    many=st.sampled_from([2, 3, 5, 9, 17, 40, 130]),
    d=st.sampled_from([1, 3, 8, 17, 64, 100]),
)
def test_of_equal_experts_the_lower_is_chosen(which, seed, dtype, n, many, d):
    """Where rows of a router are equal, so are their logits, at whatever edge of a tile they lie."""
    rng = np.random.default_rng(seed)
    x, (weights, first) = rng.standard_normal((n, d)).astype(dtype), with_twins(rng, (many, d), dtype)
    k = int(rng.integers(1, min(many, 32) + 1))  # more are not chosen by a compiled loop
    made = ops.top_k_gate.on_numpy_steadily if which == "steady" else None
    experts, gates = made(x, weights, k=k) if made else fast(which, ops.top_k_gate, x, weights, k=k)
    for row, its_gates in zip(experts, gates, strict=True):
        for place, expert in enumerate(row):
            lower = [other for other in range(expert) if first[other] == first[expert]]
            assert set(lower) <= set(row[:place])
        for one, other in itertools.pairwise(range(k)):
            assert first[row[one]] != first[row[other]] or its_gates[one] == its_gates[other]


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("n", "many", "d", "k"), [(0, 4, 3, 2), (1, 1, 1, 1), (70, 130, 17, 4), (65, 40, 8, 32), (10, 64, 20, 1)]
)
@pytest.mark.parametrize("biased", [False, True])
def test_gates_on_a_gpu(dtype, n, many, d, k, biased):
    rng = np.random.default_rng(many)
    x, weights = quarters(rng, (n, d), dtype, 2), quarters(rng, (many, d), dtype, 2)
    bias = quarters(rng, many, dtype) if biased else None
    experts, gates = on_all_schedules(ops.top_k_gate, x, weights, bias, k=k)
    expected, expected_gates = reference(ops.top_k_gate, x, weights, bias, k=k)
    equal(experts, expected)
    assert gates.dtype == dtype
    np.testing.assert_allclose(gates, expected_gates, rtol=1e-5 if dtype == np.float32 else 1e-12)


@on_the_processor
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "many", "d", "k"), [(1, 3, 17, 2), (70, 130, 33, 6), (65, 64, 8, 32)])
def test_of_equal_experts_the_lower_is_chosen_on_a_gpu(dtype, n, many, d, k):
    rng = np.random.default_rng(d)
    vectors = rng.standard_normal((many, d)).astype(dtype)
    first = np.arange(many)
    first[many // 2 :] = rng.integers(many // 2, size=many - many // 2)
    vectors, x = vectors[first], rng.standard_normal((n, d)).astype(dtype)
    for row in on_all_schedules(ops.top_k_gate, x, vectors, k=k)[0]:
        for place, expert in enumerate(row):
            lower = [other for other in range(expert) if first[other] == first[expert]]
            assert set(lower) <= set(row[:place])


@on_the_processor
def test_a_logit_that_is_no_number_comes_last():
    x, weights = np.ones((1, 1)), np.array([[1.0], [np.nan], [-np.inf], [np.nan], [2.0]])
    experts, gates = on_gpu(ops.top_k_gate, shim.ShimDevice(), x, weights, k=5)
    equal(experts, np.array([[4, 0, 2, 1, 3]]))
    assert np.isnan(gates).all()
    experts, gates = on_gpu(ops.top_k_gate, shim.ShimDevice(), x, weights, k=2)
    equal(experts, np.array([[4, 0]]))
    assert np.isfinite(gates).all()


@on_the_processor
def test_what_no_kernel_takes_is_left_to_the_reference():
    device = shim.ShimDevice()
    assert on_gpu(ops.top_k_gate, device, np.ones((2, 3)), np.ones((40, 3)), k=33) is NotImplemented
    assert device.launched == []


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(("many", "k"), [(1, 1), (8, 1), (8, 3), (64, 64)])
@pytest.mark.parametrize("biased", [False, True])
def test_gates_are_counted(many, k, biased):
    rng = np.random.default_rng(many)
    n, d = 130, 6
    x, weights = quarters(rng, (n, d)), quarters(rng, (many, d))
    bias = quarters(rng, many) if biased else None
    on = device()
    experts, gates = on.empty((n, k), np.int64), on.empty((n, k), np.float32)
    logits, matches = on.empty((n, many), np.float32), on.empty((n, 2 * many), np.int32)
    lengths = (np.int64(n), *map(np.int32, (many, d, k)))
    counts = counted(
        on,
        "gating.cu",
        "scalar_top_k_gate<float>",
        n,
        lambda totals: (x, weights, bias, experts, gates, totals, logits, matches, *lengths),
    )
    expected, expected_gates = reference(ops.top_k_gate, x, weights, bias, k=k)
    equal(experts, expected)
    np.testing.assert_allclose(gates, expected_gates, rtol=1e-5)
    assert counts == charged(ops.top_k_gate.cost(x, weights, bias, k=k))


# What does not fit ------------------------------------------------------------------------------------


NODES = np.array([0, 1, 0])
X, W, V = exact(0, (9, 3)), exact(1, (7, 3)), exact(2, 7)
T = V[:3]
WRONG = [
    (ValueError, ops.top_k_gate, (np.zeros((3, 2)), np.zeros((4, 2))), {"k": 5}),
    (ValueError, ops.top_k_gate, (np.zeros((3, 2)), np.zeros((4, 2)), np.zeros(3)), {"k": 1}),
    (TypeError, ops.top_k_gate, (X, NODES[None]), {"k": 1}),
    (ValueError, ops.top_k_gate, (X, W), {"k": 8}),
    (ValueError, ops.top_k_gate, (X, W), {"k": 0}),
    (ValueError, ops.top_k_gate, (X, W[:0]), {"k": 1}),
    (ValueError, ops.top_k_gate, (X, W[:, 1:]), {"k": 1}),
    (ValueError, ops.top_k_gate, (X[0], W), {"k": 1}),
    (ValueError, ops.top_k_gate, (X, W, T), {"k": 1}),
    (ValueError, ops.top_k_gate, (np.ones((4, 3)), np.ones((4, 3))), {"k": 5}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
