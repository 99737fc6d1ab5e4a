"""Merged experts, on every backend."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import layers, quarters
from cuda.cases import agree
from cuda.counting import agrees, run_experts
from ops.alike import near, random
from ops.layered import drawn_layers, pairs_of, six, tables, through, wide, widths_of
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops.gpu.activations import ACTIVATIONS as CODES
from sparsebench.ops.merging import on_cuda as merging

DTYPES = st.sampled_from([np.float32, np.float64])
BF16 = ml_dtypes.bfloat16


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
    got = ops.merged_mlp.on_numpy_steadily(x, np.eye(4)[chosen], *stack, activation="swish")
    alone = [
        ops.merged_mlp.on_numpy_steadily(
            x[[n]], np.ones((1, 1)), *(t[[expert]] for t in stack), activation="swish"
        )
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


def test_noncontiguous_tables_are_planned_for():
    x, gates, weights = np.ones((2, 3)), np.ones((2, 4)), np.ones((4, 5, 3))
    turned = np.ones((3, 5, 4)).T
    elements = ops.merge_linear.elements
    assert elements(x, gates, turned) == elements(x, gates, weights) + 60
    assert elements(x[:0], gates[:0], weights) == 0


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize(
    ("dtype", "positions", "kernel"),
    [
        (np.float32, None, "merged_tiles<float>"),
        (np.float32, 2, "merged_tiles<float>"),
        (BF16, 8, "merged_tiles<bf16_t>"),
        (np.float16, 9, "merge_tables<half_t>"),
        (np.float32, 150, "merge_tables<float>"),
        (np.float64, None, "merge_tables<double>"),
    ],
)
@pytest.mark.parametrize("widths", [(19, 6), (24, 70, 11), (5, 6, 7, 8)])
def test_merged_experts(dtype, positions, kernel, widths):
    rng = np.random.default_rng(len(widths))
    n = 20 if positions else 150
    shape = (n, widths[0]) if positions is None else (n, positions, widths[0])
    # Divided before the cast: NumPy 2.1 makes wider numbers of bfloat16 and Python's.
    x, gates = rng.standard_normal(shape).astype(dtype), (rng.random((n, 5)) / 5).astype(dtype)
    given = layers(rng, 5, widths, dtype)
    made = on_all_schedules(ops.merged_mlp, x, gates, *given, activation="prelu")
    agree(made, reference(ops.merged_mlp, *wide([x, gates, *given]), activation="prelu"))
    device = shim.ShimDevice()
    on_gpu(ops.merged_mlp, device, x, gates, *given)
    assert kernel in device.launched


@on_the_processor
@pytest.mark.parametrize("n", [0, 1])
def test_merged_linear_of_few(n):
    rng = np.random.default_rng(0)
    x, gates = quarters(rng, (n, 7)), quarters(rng, (n, 3))
    weights, bias = quarters(rng, (3, 4, 7)), quarters(rng, (3, 4))
    for own in (bias, None):
        agree(
            on_gpu(ops.merge_linear, shim.ShimDevice(), x, gates, weights, own),
            reference(ops.merge_linear, x, gates, weights, own),
        )


@on_the_processor
def test_merged_experts_come_in_parts(monkeypatch):
    monkeypatch.setattr(merging, "_HELD", 1000)
    rng = np.random.default_rng(0)
    x, gates = rng.standard_normal((11, 20, 6)).astype(np.float32), rng.random((11, 3)).astype(np.float32)
    given = layers(rng, 3, (6, 9))
    device = shim.ShimDevice()
    agree(on_gpu(ops.merge_linear, device, x, gates, *given), reference(ops.merge_linear, x, gates, *given))
    assert sum("merge_tables" in kernel for kernel in device.launched) > 2


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(
    ("widths", "biased", "positions", "activation"),
    [
        ((4, 3), (True,), 1, "relu"),
        ((5, 4, 2), (False, True), 3, "prelu"),
        ((2, 3, 3, 1), (True,) * 3, 2, "swish"),
    ],
)
def test_merging_is_counted(widths, biased, positions, activation):
    rng = np.random.default_rng(positions)
    n, experts, slope = 40, 3, 0.25
    x, gates = quarters(rng, (n, positions, widths[0]), limit=4), quarters(rng, (n, experts), limit=4)
    given = tuple(tables(rng, experts, widths, biased))
    largest = max(h * d + h for d, h in itertools.pairwise(widths))
    sizes = (
        positions,
        experts,
        *widths_of(widths),
        len(biased),
        largest,
        max(widths),
        CODES[activation],
    )
    rooms = [((n, largest), np.float32), ((n, 2, positions * max(widths)), np.float32)]
    before, after = (x, gates, *six(given)), (np.float32(slope),)
    found = run_experts(
        "scalar_layers.cu", "merged_mlp", n, before, (n, positions, widths[-1]), rooms, after, sizes
    )
    agrees(ops.merged_mlp, found, x, gates, *given, activation=activation, slope=slope)
    if len(biased) == 1:
        agrees(ops.merge_linear, found, x, gates, *given)


# What does not fit ------------------------------------------------------------------------------------


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
LONG, TURNS, STACK, SHIFTS = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2)), np.ones((2, 3))
WRONG = [
    (ValueError, ops.merge_linear, (ROWS, ROWS, WEIGHTS), {}),
    (ValueError, ops.merge_linear, (ROWS, ROWS[:1, :2], WEIGHTS), {}),
    (ValueError, ops.merge_linear, (ROWS[0], ROWS[:, :2], WEIGHTS), {}),
    (TypeError, ops.merge_linear, (ROWS, PAIRS, WEIGHTS), {}),
    (TypeError, ops.merge_linear, (ROWS, ROWS[:, :2], None, BIASES), {}),
    (ValueError, ops.merged_mlp, (ROWS, ROWS, WEIGHTS), {}),
    (ValueError, ops.merged_mlp, (ROWS, ROWS[:, :2]), {}),
    (ValueError, ops.merged_mlp, (ROWS, ROWS[:, :2], WEIGHTS), {"activation": ""}),
    (ValueError, ops.merge_linear, (LONG, LONG, SHIFTS), {}),
    (ValueError, ops.merged_mlp, (LONG, LONG, STACK, SHIFTS, STACK), {}),
    (ValueError, ops.merge_linear, (np.ones((4, 3)), np.ones((4, 3)), np.ones((2, 5, 3))), {}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
