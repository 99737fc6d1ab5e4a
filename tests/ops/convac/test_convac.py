"""Layers of arithmetic circuits, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuda.backends import on_all_schedules, on_the_processor, reference
from cuda.case import quarters
from cuda.cases import agree
from cuda.counting import agrees, run_experts
from ops.alike import near, random
from ops.refusals import each, told_by_all
from sparsebench import ops

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from([np.float32, np.float64])


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


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize("n", [1, 400])
def test_windows_in_all_schedules(n):
    rng = np.random.default_rng(n)
    seen, weights = quarters(rng, (n, 9, 3), limit=4), quarters(rng, (2, 4, 3), limit=4)
    agree(
        on_all_schedules(ops.convac_layer, seen, weights, stride=2),
        reference(ops.convac_layer, seen, weights, stride=2),
    )


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(
    ("positions", "m", "window", "channels", "stride"), [(7, 3, 2, 4, 2), (5, 1, 3, 2, 1)]
)
def test_windows_are_counted(positions, m, window, channels, stride):
    rng = np.random.default_rng(m)
    n, windows = 50, (positions - window) // stride + 1
    x, weights = quarters(rng, (n, positions, m), limit=4), quarters(rng, (window, channels, m), limit=4)
    sizes = (positions, m, window, channels, windows, stride)
    found = run_experts("convac.cu", "convac_layer", n, (x, weights), (n, windows, channels), [], (), sizes)
    agrees(ops.convac_layer, found, x, weights, stride=stride)


# What does not fit ------------------------------------------------------------------------------------


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
LONG, TURNS, STACK, SHIFTS = np.ones((8, 2)), np.arange(8) % 2, np.ones((2, 3, 2)), np.ones((2, 3))
WRONG = [
    (ValueError, ops.convac_layer, (WEIGHTS[:, :1], WEIGHTS), {}),
    (ValueError, ops.convac_layer, (WEIGHTS, WEIGHTS[:0]), {}),
    (ValueError, ops.convac_layer, (WEIGHTS, WEIGHTS[..., :2]), {}),
    (ValueError, ops.convac_layer, (WEIGHTS[..., :0], WEIGHTS[..., :0]), {}),
    (ValueError, ops.convac_layer, (WEIGHTS, WEIGHTS), {"stride": 0}),
    (ValueError, ops.convac_layer, (ROWS, WEIGHTS), {}),
    (TypeError, ops.convac_layer, (WEIGHTS, WEIGHTS.astype(int)), {}),
    (ValueError, ops.convac_layer, (STACK, STACK), {"stride": 0}),
    (ValueError, ops.convac_layer, (np.ones((4, 3, 2)), np.ones((4, 3, 2))), {}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
