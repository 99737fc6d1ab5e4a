"""The expert kernels, run on the processor, against the references: the same answers in any schedule."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np
import pytest
import shim
from cases import agree
from faces import on_all_schedules, quarters, reference

from sparsebench import ops
from sparsebench.ops.combining import on_cuda as combining
from sparsebench.ops.convac import on_cuda as convac
from sparsebench.ops.gpu.dispatch import dispatch
from sparsebench.ops.grouped import on_cuda as grouped
from sparsebench.ops.lookup import on_cuda as lookup
from sparsebench.ops.merging import on_cuda as merging
from sparsebench.ops.polynomial import on_cuda as polynomial

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))

BF16 = ml_dtypes.bfloat16


def layers(rng, experts, widths, dtype=np.float32, bias=True):
    made = []
    for d, h in itertools.pairwise(widths):
        made.append((rng.standard_normal((experts, h, d)) / max(d, 1) ** 0.5).astype(dtype))
        made.append(rng.standard_normal((experts, h)).astype(dtype) if bias else None)
    return made


def wide(parts):
    return [None if part is None else part.astype(np.float64) for part in parts]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("experts", [1, 200, 2500, 9000])
@pytest.mark.parametrize("schedule", [0, 3])
def test_pairs_are_sorted_by_expert(dtype, experts, schedule):
    rng = np.random.default_rng(experts)
    index = rng.integers(0, min(experts + 2, 256) if dtype == np.uint8 else experts + 2, (5000, 2)).astype(
        dtype
    )
    if dtype != np.uint8:
        index[7, 1] = -1
    rows = dispatch(shim.ShimDevice(schedule), index, experts, 64)
    flat = index.reshape(-1).astype(np.int64)
    bucket = np.where((flat < 0) | (flat >= experts), experts, flat)
    sizes = np.bincount(bucket, minlength=experts + 1)
    np.testing.assert_array_equal(rows.first, np.concatenate([[0], np.cumsum(sizes)]))
    np.testing.assert_array_equal(rows.tile, np.concatenate([[0], np.cumsum(-(-sizes[:-1] // 64))]))
    np.testing.assert_array_equal(np.sort(rows.order), np.arange(flat.size))
    assert (np.diff(bucket[rows.order]) >= 0).all()
    assert rows.tile[-1] <= rows.tiles_at_most(64)
    assert (rows.pairs, rows.chosen) == (10_000, 2)


def test_one_expert_may_take_all():
    rows = dispatch(shim.ShimDevice(2), np.full(9000, 4), 6, 128)
    np.testing.assert_array_equal(rows.first, [0, 0, 0, 0, 0, 9000, 9000, 9000])
    np.testing.assert_array_equal(rows.tile, [0, 0, 0, 0, 0, 71, 71])


@pytest.mark.parametrize("activation", ["relu", "prelu", "swish", "k_tanh"])
@pytest.mark.parametrize(
    ("widths", "kernel"),
    [
        ((12, 7, 5), "mlp_tiles<float, 32>"),
        ((64, 64, 40, 64), "mlp_tiles<float, 64>"),
        ((70, 128, 3), "mlp_tiles<float, 128>"),
        ((20, 150, 6), "gemm_tiles<float, 128>"),
    ],
)
def test_layers_of_experts(activation, widths, kernel):
    rng = np.random.default_rng(sum(widths))
    x, index = rng.standard_normal((301, widths[0])).astype(np.float32), rng.integers(0, 5, 301)
    given = layers(rng, 5, widths)
    if activation == "k_tanh":  # it jumps: what is computed before it must be exact
        x, given = quarters(rng, x.shape), [quarters(rng, part.shape, limit=3) for part in given]
    made = on_all_schedules(grouped.grouped_mlp, x, index, *given, activation=activation, slope=-0.5)
    agree(made, reference(ops.grouped_mlp, x, index, *given, activation=activation, slope=-0.5))
    device = shim.ShimDevice()
    grouped.grouped_mlp(device, x, index, *given, activation=activation)
    assert kernel in device.launched


@pytest.mark.parametrize("dtype", [np.float16, BF16, np.float64])
@pytest.mark.parametrize("widths", [(17, 33, 9), (8, 200, 72)])
@pytest.mark.parametrize("k", [None, 3])
def test_layers_of_other_numbers(dtype, widths, k):
    rng = np.random.default_rng(7)
    shape = (150,) if k is None else (150, k)
    x, index = rng.standard_normal((150, widths[0])).astype(dtype), rng.integers(0, 4, shape)
    given = layers(rng, 4, widths, dtype)
    made = on_all_schedules(grouped.grouped_mlp, x, index, *given, activation="swish")
    assert made.dtype == dtype
    agree(made, reference(ops.grouped_mlp, *wide([x]), index, *wide(given), activation="swish"))


@pytest.mark.parametrize("widths", [(64, 64, 64), (128, 128), (300, 40)])
def test_float32_has_its_digits(widths):
    rng = np.random.default_rng(2)
    x, index = rng.standard_normal((200, widths[0])).astype(np.float32), rng.integers(0, 3, 200)
    given = layers(rng, 3, widths)
    made = grouped.grouped_mlp(shim.ShimDevice(), x, index, *given)
    right = reference(ops.grouped_mlp, *wide([x]), index, *wide(given))
    assert np.linalg.norm(made - right) < 1e-6 * np.linalg.norm(right)


@pytest.mark.parametrize(
    ("shared_bytes", "depth", "kernel"),
    [
        (227 << 10, 2, "mlp_tiles<float, 64>"),
        (99 << 10, 2, "mlp_tiles<float, 64>"),  # with one place for rows
        (85 << 10, 3, "gemm_tiles<float, 64>"),
    ],
)
def test_less_shared_memory_is_no_hindrance(shared_bytes, depth, kernel):
    rng = np.random.default_rng(3)
    x, index = rng.standard_normal((700, 64)).astype(np.float32), rng.integers(0, 3, 700)
    given = layers(rng, 3, (64,) * (depth + 1))
    device = shim.ShimDevice(2, shared_bytes=shared_bytes)
    agree(grouped.grouped_mlp(device, x, index, *given), reference(ops.grouped_mlp, x, index, *given))
    assert kernel in device.launched


@pytest.mark.parametrize("dtype", [np.float32, BF16, np.float64])
@pytest.mark.parametrize("widths", [(6, 5), (6, 140, 5)])
def test_a_row_of_no_expert_is_none(dtype, widths):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 6)).astype(dtype)
    index = rng.integers(0, 4, (60, 2))
    given = layers(rng, 4, widths, dtype)
    lost = [(3, 0, 4), (8, 1, -1), (9, 0, 2**40), (50, 1, -(2**31))]
    right = reference(ops.grouped_mlp, *wide([x]), index, *wide(given))
    for row, place, expert in lost:
        index[row, place] = expert
        right[row, place] = np.nan
    agree(grouped.grouped_mlp(shim.ShimDevice(3), x, index, *given), right)


def test_all_rows_may_have_no_expert():
    made = grouped.grouped_linear(shim.ShimDevice(), np.ones((5, 3)), np.full(5, 9), np.ones((2, 4, 3)))
    assert np.isnan(made).all()


def test_experts_need_no_weights_where_there_are_none():
    device, x = shim.ShimDevice(), np.ones((3, 4), np.float32)
    empty = grouped.grouped_linear(device, x[:0], np.zeros(0, np.int64), np.ones((2, 5, 4), np.float32))
    assert empty.shape == (0, 5)
    assert grouped.grouped_linear(device, x, np.zeros((3, 0), np.int64), np.ones((2, 5, 4))).shape == (
        3,
        0,
        5,
    )
    assert device.launched == []
    lost = grouped.grouped_linear(device, x, np.zeros(3, np.int64), np.ones((0, 5, 4), np.float32))
    assert np.isnan(lost).all()
    bias = np.arange(10, dtype=np.float32).reshape(2, 5)
    made = grouped.grouped_linear(device, x[:, :0], np.array([1, 0, 1]), np.ones((2, 5, 0), np.float32), bias)
    np.testing.assert_array_equal(made, bias[[1, 0, 1]])


def test_what_is_beside_a_row_does_not_matter():
    rng = np.random.default_rng(6)
    x, index = rng.standard_normal((400, 40)).astype(np.float32), rng.integers(0, 3, 400)
    x[5] = np.nan
    x[6] = np.inf
    given = layers(rng, 3, (40, 30, 20))
    made = grouped.grouped_mlp(shim.ShimDevice(), x, index, *given)
    assert np.isnan(made[5]).all()
    alone = grouped.grouped_mlp(shim.ShimDevice(), x[10:11], index[10:11], *given)
    assert alone.tobytes() == made[10:11].tobytes()


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
    made = on_all_schedules(merging.merged_mlp, x, gates, *given, activation="prelu")
    agree(made, reference(ops.merged_mlp, *wide([x, gates, *given]), activation="prelu"))
    device = shim.ShimDevice()
    merging.merged_mlp(device, x, gates, *given)
    assert kernel in device.launched


@pytest.mark.parametrize("n", [0, 1])
def test_merged_linear_of_few(n):
    rng = np.random.default_rng(0)
    x, gates = quarters(rng, (n, 7)), quarters(rng, (n, 3))
    weights, bias = quarters(rng, (3, 4, 7)), quarters(rng, (3, 4))
    for own in (bias, None):
        agree(
            merging.merge_linear(shim.ShimDevice(), x, gates, weights, own),
            reference(ops.merge_linear, x, gates, weights, own),
        )


def test_merged_experts_come_in_parts(monkeypatch):
    monkeypatch.setattr(merging, "_HELD", 1000)
    rng = np.random.default_rng(0)
    x, gates = rng.standard_normal((11, 20, 6)).astype(np.float32), rng.random((11, 3)).astype(np.float32)
    given = layers(rng, 3, (6, 9))
    device = shim.ShimDevice()
    agree(merging.merge_linear(device, x, gates, *given), reference(ops.merge_linear, x, gates, *given))
    assert sum("merge_tables" in kernel for kernel in device.launched) > 2


def test_constants_at_no_address_are_none():
    index = np.array([[0, 5], [1, -1], [1, 0]])
    constants = np.arange(10, dtype=np.float32).reshape(5, 2)
    made = lookup.gather_constant(shim.ShimDevice(), index, constants)
    agree(made, np.array([[np.nan] * 2, [np.nan] * 2, [2, 4]], dtype=np.float32))


def test_polynomials_at_no_address_are_none():
    x, index = np.array([[2.0, 3.0]] * 3), np.array([0, 1, -1])
    made = polynomial.grouped_polynomial(shim.ShimDevice(1), x, index, np.arange(6.0).reshape(1, 6), degree=2)
    np.testing.assert_array_equal(made, [0 + 2 + 6 + 12 + 24 + 45, np.nan, np.nan])


@pytest.mark.parametrize("n", [1, 400])
def test_small_kernels_in_all_schedules(n):
    rng = np.random.default_rng(n)
    values, gates = quarters(rng, (n, 3, 5)), quarters(rng, (n, 3))
    agree(
        on_all_schedules(combining.segment_combine, values, gates),
        reference(ops.segment_combine, values, gates),
    )
    units, readout, bias = quarters(rng, (n, 70)), quarters(rng, (70, 3)), quarters(rng, 3)
    for k in (1, 9, 32, 33, 64):
        made = on_all_schedules(combining.top_k_mask_linear, units, readout, bias, k=k)
        agree(made, reference(ops.top_k_mask_linear, units, readout, bias, k=k))
    index, constants = rng.integers(0, 7, (n, 3)).astype(np.int32), quarters(rng, (7, 5))
    agree(
        on_all_schedules(lookup.gather_constant, index, constants, gates),
        reference(ops.gather_constant, index, constants, gates),
    )
    x, coefficients = quarters(rng, (n, 4), limit=4), quarters(rng, (7, 2, 35))
    agree(
        on_all_schedules(polynomial.grouped_polynomial, x, index, coefficients, degree=3),
        reference(ops.grouped_polynomial, x, index, coefficients, degree=3),
    )
    seen, weights = quarters(rng, (n, 9, 3), limit=4), quarters(rng, (2, 4, 3), limit=4)
    agree(
        on_all_schedules(convac.convac_layer, seen, weights, stride=2),
        reference(ops.convac_layer, seen, weights, stride=2),
    )


def test_what_no_kernel_takes_is_left_to_the_next_face():
    device, whole, index = shim.ShimDevice(), np.ones((4, 3), np.int64), np.zeros(4, np.int64)
    assert grouped.grouped_linear(device, whole, index, np.ones((2, 5, 3), np.int64)) is NotImplemented
    assert grouped.grouped_linear(device, np.ones((4, 3)), np.zeros(4), np.ones((2, 5, 3))) is NotImplemented
    half, short = np.ones((4, 3), np.float16), np.ones((2, 5, 3), BF16)
    assert grouped.grouped_linear(device, half, index, short) is NotImplemented
    assert combining.top_k_mask_linear(device, np.ones((2, 90)), np.ones(90), k=65) is NotImplemented
    many = np.ones((1, 7315))  # monomials of 18 features up to the degree 4
    assert polynomial.grouped_polynomial(device, np.ones((4, 18)), index, many, degree=4) is NotImplemented
    assert device.launched == []


def test_shapes_are_checked_as_the_reference_does():
    device, x, index = shim.ShimDevice(), np.ones((4, 3)), np.zeros(4, np.int64)
    for call in (
        lambda: grouped.grouped_linear(device, x, index, np.ones((2, 5, 4))),
        lambda: grouped.grouped_linear(device, x, index, np.ones((2, 5, 3)), np.ones((2, 4))),
        lambda: grouped.gather_matmul(device, x, index[:3], np.ones((2, 3))),
        lambda: grouped.grouped_mlp(device, x, index),
        lambda: grouped.grouped_mlp(device, x, index, np.ones((2, 5, 3)), None, activation="none"),
        lambda: merging.merge_linear(device, x, np.ones((4, 3)), np.ones((2, 5, 3))),
        lambda: combining.segment_combine(device, np.ones((4, 3, 2)), np.ones((4, 2))),
        lambda: combining.top_k_mask_linear(device, x, np.ones(3), k=4),
        lambda: lookup.gather_constant(device, index, np.ones(3), np.ones(4)),
        lambda: polynomial.grouped_polynomial(device, x, index, np.ones((2, 9)), degree=2),
        lambda: convac.convac_layer(device, np.ones((4, 3, 2)), np.ones((4, 3, 2))),
    ):
        with pytest.raises(ValueError, match=r"expected|must be"):
            call()
    assert device.launched == []
