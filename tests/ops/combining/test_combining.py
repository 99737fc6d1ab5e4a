"""Sums of what several experts give, and of units that are kept, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import quarters
from cuda.cases import agree
from cuda.counting import agrees, run_experts
from ops.alike import near, random
from ops.on_cpu import EACH, using
from ops.refusals import each, told_by_all
from sparsebench import ops

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from([np.float32, np.float64])


@given(seed=SEEDS, dtype=DTYPES, n=st.integers(0, 6), k=st.integers(0, 4), wide=st.booleans())
def test_sums(seed, dtype, n, k, wide):
    values, gates = random(seed, (n, k, 3) if wide else (n, k), dtype), random(seed + 1, (n, k), dtype)
    near(ops.segment_combine(values, gates), np.einsum("nk,nk...->n...", gates, values), values)


def test_dtypes_meet():
    half, double = np.float32([[0.5, 2.0]]), np.array([[1.0, 3.0]])
    assert ops.segment_combine(half, double).dtype == np.float64
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


# On the processor: its fast backends ------------------------------------------------------------------


@EACH
def test_units_that_are_not_kept_are_not_read(which):
    readout = np.array([[1.0, 2.0], [np.inf, np.nan]])
    with using(which):
        out = ops.top_k_mask_linear(np.array([[2.0, 1.0], [3.0, -1.0]]), readout, k=1)
    assert out.tolist() == [[2.0, 4.0], [3.0, 6.0]]


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize("n", [1, 400])
def test_sums_and_masks_in_all_schedules(n):
    rng = np.random.default_rng(n)
    values, gates = quarters(rng, (n, 3, 5)), quarters(rng, (n, 3))
    agree(
        on_all_schedules(ops.segment_combine, values, gates),
        reference(ops.segment_combine, values, gates),
    )
    units, readout, bias = quarters(rng, (n, 70)), quarters(rng, (70, 3)), quarters(rng, 3)
    for k in (1, 9, 32, 33, 64):
        made = on_all_schedules(ops.top_k_mask_linear, units, readout, bias, k=k)
        agree(made, reference(ops.top_k_mask_linear, units, readout, bias, k=k))


@on_the_processor
def test_what_no_kernel_takes_is_left_to_the_definition():
    device = shim.ShimDevice()
    assert on_gpu(ops.top_k_mask_linear, device, np.ones((2, 90)), np.ones(90), k=65) is NotImplemented
    assert device.launched == []


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(("k", "h"), [(1, 1), (3, 4)])
def test_sums_are_counted(k, h):
    rng = np.random.default_rng(h)
    n = 130
    values, gates = quarters(rng, (n, k, h)), quarters(rng, (n, k))
    found = run_experts("combining.cu", "segment_combine", n, (values, gates), (n, h), [], (), (k, h))
    agrees(ops.segment_combine, found, values, gates)


@on_the_processor
@pytest.mark.parametrize(("t", "o", "k"), [(1, 1, 1), (16, 3, 5), (64, 2, 64)])
@pytest.mark.parametrize("biased", [False, True])
def test_masks_are_counted(t, o, k, biased):
    rng = np.random.default_rng(t)
    n = 80
    units, readout = quarters(rng, (n, t)), quarters(rng, (t, o))
    bias = quarters(rng, o) if biased else None
    room = [((n, 2 * t), np.int32)]
    found = run_experts(
        "combining.cu", "top_k_mask_linear", n, (units, readout, bias), (n, o), room, (), (t, o, k)
    )
    agrees(ops.top_k_mask_linear, found, units, readout, bias, k=k)


# What does not fit ------------------------------------------------------------------------------------


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
LONG, TURNS, STACK, SHIFTS = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2)), np.ones((2, 3))
WRONG = [
    (ValueError, ops.segment_combine, (ROWS, ROWS[:, :2]), {}),
    (ValueError, ops.segment_combine, (ROWS[:, 0], ROWS[:, 0]), {}),
    (ValueError, ops.segment_combine, (WEIGHTS[None], WEIGHTS[0]), {}),
    (TypeError, ops.segment_combine, (ROWS, PAIRS), {}),
    (ValueError, ops.top_k_mask_linear, (ROWS, ROWS[0]), {"k": 4}),
    (ValueError, ops.top_k_mask_linear, (ROWS, ROWS[0]), {"k": 0}),
    (ValueError, ops.top_k_mask_linear, (ROWS, ROWS), {"k": 1}),
    (ValueError, ops.top_k_mask_linear, (ROWS, ROWS[0], ROWS[0]), {"k": 1}),
    (ValueError, ops.top_k_mask_linear, (ROWS[0], ROWS[0]), {"k": 1}),
    (TypeError, ops.top_k_mask_linear, (ROWS, ROWS[0], EXPERT), {"k": 1}),
    (ValueError, ops.segment_combine, (LONG, LONG.T), {}),
    (ValueError, ops.top_k_mask_linear, (LONG, SHIFTS), {"k": 3}),
    (ValueError, ops.segment_combine, (np.ones((4, 3, 2)), np.ones((4, 2))), {}),
    (ValueError, ops.top_k_mask_linear, (np.ones((4, 3)), np.ones(3)), {"k": 4}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
