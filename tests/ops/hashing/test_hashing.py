"""Hashes: digits of addresses, on every backend."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import equal, on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import quarters
from cuda.counting import agrees, run_router
from ops.alike import exact, with_twins
from ops.on_cpu import BACKENDS, EACH, NUMBA, check, fast
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.timing import WORKLOADS

FLOATS = (np.float32, np.float64)
NAN = np.nan
SEEDS = st.integers(0, 2**32 - 1)
FEW = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)


def test_hyperplane_hash():
    planes = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert ops.hyperplane_hash(FEW, planes).tolist() == [2, 3, 0]
    assert ops.hyperplane_hash(FEW, planes, np.array([0.75, -3.0])).tolist() == [3, 1, 1]
    assert ops.hyperplane_hash(FEW, np.stack([planes, -planes])).tolist() == [[2, 1], [3, 0], [0, 2]]


def test_cells_are_the_digits_of_an_address():
    x = np.array([[0.5, -1.0], [2.5, 9.0], [NAN, 0.0], [-1e300, 0.25]])
    directions, offsets = np.array([[1.0, 0.0], [0.0, 2.0], [0.5, 0.0]]), np.array([0.0, 1.0, 0.0])
    got = ops.pstable_hash(x, directions, offsets, levels=3)
    assert got.tolist() == [0, 2 * 9 + 2 * 3 + 1, 0, 3]
    assert got.dtype == np.int64


def test_tables_of_cells_stand_side_by_side():
    x, directions, offsets = exact(0, (5, 3)), exact(1, (4, 2, 3)), exact(2, (4, 2))
    got = ops.pstable_hash(x, directions, offsets, levels=5)
    alone = [ops.pstable_hash(x, *table, levels=5) for table in zip(directions, offsets, strict=True)]
    np.testing.assert_array_equal(got, np.stack(alone, axis=1))


@given(seed=SEEDS, levels=st.integers(1, 6), k=st.integers(1, 4), d=st.integers(0, 3))
def test_cells_are_floors_of_projections(seed, levels, k, d):
    x, directions, offsets = exact(seed, (6, d)), exact(seed + 1, (k, d)), exact(seed + 2, (k,))
    cells = np.clip(np.floor(x @ directions.T + offsets), 0, levels - 1).astype(np.int64)
    want = cells @ levels ** np.arange(k - 1, -1, -1)
    np.testing.assert_array_equal(ops.pstable_hash(x, directions, offsets, levels=levels), want)


@pytest.mark.parametrize(("levels", "k"), [(2, 62), (2**31, 2), (2**53, 1), (1, 70)])
def test_as_many_addresses_as_an_integer_holds(levels, k):
    x, directions = np.ones((2, 1)), np.zeros((k, 1))
    got = ops.pstable_hash(x, directions, np.full(k, np.inf), levels=levels)
    assert got.tolist() == [levels**k - 1] * 2


@pytest.mark.parametrize(("levels", "k"), [(2, 63), (2**31 + 1, 2), (2**53 + 1, 1), (0, 1), (3, 10**6)])
def test_more_addresses_are_refused(levels, k):
    with pytest.raises(ValueError, match=r"^pstable_hash: .*levels"):
        ops.pstable_hash(np.ones((2, 0)), np.ones((k, 0)), np.ones(k), levels=levels)


# On the processor: its fast backends ------------------------------------------------------------------


@EACH
def test_sides_differ_only_within_rounding(which):
    rng = np.random.default_rng(6)
    x, planes = rng.standard_normal((20_000, 64)), rng.standard_normal((3, 11, 64))
    offsets = rng.standard_normal((3, 11))
    narrow = (part.astype(np.float32) for part in (x, planes, offsets))
    code = fast(which, ops.hyperplane_hash, *narrow)
    projected = np.einsum("nd,skd->nsk", x, planes) - offsets
    bits = code[..., None] >> np.arange(10, -1, -1) & 1
    assert bits.any(axis=0).all()
    wrong = bits != (projected > 0)
    assert wrong.mean() < 1e-4
    assert np.abs(projected[wrong]).max(initial=0.0) < 1e-4


@EACH
@np.errstate(all="ignore")
def test_nan_and_infinity(which):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((300, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.1] = np.inf
    planes = rng.standard_normal((9, 6)).astype(np.float32)
    check(which, ops.hyperplane_hash, (x, planes), {})
    check(which, ops.pstable_hash, (x, planes, planes[:, 0]), {"levels": 5})


@pytest.mark.parametrize("which", [*BACKENDS, "steady"])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.sampled_from([1, 2, 33, 200]),
    many=st.sampled_from([2, 3, 5, 9, 17, 40]),
    d=st.sampled_from([1, 3, 17, 100]),
)
def test_equal_planes_and_directions_have_equal_digits(which, seed, dtype, n, many, d):
    rng = np.random.default_rng(seed)
    vectors, first = with_twins(rng, (many, d), dtype)
    x = rng.standard_normal((n, d)).astype(dtype)
    limits = (vectors @ x[0]).astype(dtype)[first]  # where rounding decides

    def run(primitive, *args, **kwargs):
        if which == "steady":
            return primitive.on_numpy_steadily(*args, **kwargs)
        return fast(which, primitive, *args, **kwargs)

    bits = (run(ops.hyperplane_hash, x, vectors, limits)[:, None] >> np.arange(many)[::-1]) & 1
    np.testing.assert_array_equal(bits, bits[:, first])
    digits = run(ops.pstable_hash, x, vectors, -limits, levels=2)
    bits = (digits[:, None] >> np.arange(many)[::-1]) & 1
    np.testing.assert_array_equal(bits, bits[:, first])


@NUMBA
def test_vectors_without_features_have_digits_too():
    """Of which compiled loops once could not tell how many there were."""
    x, planes, offsets = np.ones((3, 0)), np.ones((2, 4, 0)), np.ones((2, 4))
    assert fast("numba", ops.hyperplane_hash, x, planes, -offsets).tolist() == [[15, 15]] * 3
    assert fast("numba", ops.pstable_hash, x, planes, offsets, levels=2).tolist() == [[15, 15]] * 3


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize("dtype", [*FLOATS, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize(
    ("n", "d", "shape"), [(0, 8, (3,)), (1, 1, (1,)), (300, 17, (2, 10)), (513, 64, (8,)), (70, 20, (62,))]
)
def test_planes_on_a_gpu(dtype, n, d, shape):
    rng = np.random.default_rng(n)
    x, planes = quarters(rng, (n, d), dtype, 4), quarters(rng, (*shape, d), dtype, 4)
    offsets = quarters(rng, shape, dtype)
    wide = [part.astype(np.float64) for part in (x, planes, offsets)]
    device = shim.ShimDevice(2)
    equal(on_gpu(ops.hyperplane_hash, device, x, planes), reference(ops.hyperplane_hash, *wide[:2]))
    equal(on_gpu(ops.hyperplane_hash, device, x, planes, offsets), reference(ops.hyperplane_hash, *wide))


@on_the_processor
@pytest.mark.parametrize("dtype", [*FLOATS, ml_dtypes.bfloat16])
@pytest.mark.parametrize(
    ("n", "d", "shape", "levels"),
    [(0, 8, (3,), 4), (1, 5, (1,), 2**40), (300, 33, (3, 9), 5), (260, 12, (20,), 7), (9, 4, (70,), 1)],
)
def test_cells_on_a_gpu(dtype, n, d, shape, levels):
    rng = np.random.default_rng(d)
    x, directions = quarters(rng, (n, d), dtype, 4), quarters(rng, (*shape, d), dtype, 4)
    offsets = quarters(rng, shape, dtype)
    wide = [part.astype(np.float64) for part in (x, directions, offsets)]
    made = on_gpu(ops.pstable_hash, shim.ShimDevice(3), x, directions, offsets, levels=levels)
    equal(made, reference(ops.pstable_hash, *wide, levels=levels))


@on_the_processor
@pytest.mark.parametrize("d", [24, 700])
def test_hashes_go_through_vectors_in_parts_where_shared_memory_is_short(d):
    rng = np.random.default_rng(5)
    x, planes, offsets = quarters(rng, (130, d)), quarters(rng, (3, 18, d)), quarters(rng, (3, 18))
    device = shim.ShimDevice(2, shared_bytes=20 << 10)
    whole = [on_all_schedules(ops.hyperplane_hash, x, planes, offsets)]
    equal(whole[0], reference(ops.hyperplane_hash, x, planes, offsets))
    equal(on_gpu(ops.hyperplane_hash, device, x, planes, offsets), whole[0])
    made = on_gpu(ops.pstable_hash, device, x, planes, offsets, levels=6)
    equal(made, reference(ops.pstable_hash, x, planes, offsets, levels=6))


@on_the_processor
def test_hashes_take_numbers_that_are_none():
    x = np.array([[np.nan, 1.0], [np.inf, 1.0], [-np.inf, 1.0]], dtype=np.float32)
    planes, zeros = np.ones((3, 2), dtype=np.float32), np.zeros(3, dtype=np.float32)
    device = shim.ShimDevice()
    equal(on_gpu(ops.hyperplane_hash, device, x, planes), reference(ops.hyperplane_hash, x, planes))
    made = on_gpu(ops.pstable_hash, device, x, planes, zeros, levels=9)
    equal(made, reference(ops.pstable_hash, x, planes, zeros, levels=9))


@on_the_processor
@pytest.mark.parametrize("dtype", [*FLOATS, np.float16])
@pytest.mark.parametrize(("n", "many", "d"), [(1, 3, 17), (70, 130, 33), (65, 64, 8)])
def test_equal_planes_have_equal_bits_on_a_gpu(dtype, n, many, d):
    rng = np.random.default_rng(d)
    vectors = rng.standard_normal((many, d)).astype(dtype)
    first = np.arange(many)
    first[many // 2 :] = rng.integers(many // 2, size=many - many // 2)
    vectors, x = vectors[first], rng.standard_normal((n, d)).astype(dtype)
    limits = (vectors @ x[0]).astype(dtype)[first]  # where rounding decides
    bits = on_all_schedules(ops.hyperplane_hash, x, vectors[:, None, :], limits[:, None])
    equal(bits, bits[:, first])


@on_the_processor
def test_arrays_need_not_be_dense():
    rng = np.random.default_rng(8)
    x, planes = quarters(rng, (60, 40))[::2, ::-2], quarters(rng, (20, 9)).T
    device = shim.ShimDevice(1)
    equal(on_gpu(ops.hyperplane_hash, device, x, planes), reference(ops.hyperplane_hash, x, planes))
    shifted = quarters(rng, 21 * 8 + 1)[1:].reshape(21, 8)  # dense, but not where vectors of 16 bytes may be
    equal(
        on_gpu(ops.hyperplane_hash, device, shifted, planes[:, :8]),
        reference(ops.hyperplane_hash, shifted, planes[:, :8]),
    )


@on_the_processor
def test_what_no_kernel_takes_is_left_to_the_reference():
    device, whole = shim.ShimDevice(), np.ones((4, 3), dtype=np.int64)
    real = whole.astype(np.float32)
    assert on_gpu(ops.hyperplane_hash, device, whole, whole) is NotImplemented
    assert on_gpu(ops.hyperplane_hash, device, real, real, np.ones(4)) is NotImplemented
    assert device.launched == []


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(("n", "d", "tables", "k"), [(200, 9, 3, 5), (1, 1, 1, 1)])
def test_digits_are_counted(n, d, tables, k):
    rng = np.random.default_rng(0)
    x, vectors, offsets = quarters(rng, (n, d)), quarters(rng, (tables, k, d)), quarters(rng, (tables, k))
    found = run_router(
        "hashing.cu", "hyperplane_hash", n, x, vectors, offsets, sizes=(d, tables, k), shape=(n, tables)
    )
    agrees(ops.hyperplane_hash, found, x, vectors, offsets)
    for levels in (1, 2, 5, 8):
        sizes = (d, tables, k, np.int64(levels))
        found = run_router(
            "hashing.cu", "pstable_hash", n, x, vectors, offsets, sizes=sizes, shape=(n, tables)
        )
        agrees(ops.pstable_hash, found, x, vectors, offsets, levels=levels)


# What a call needs at least --------------------------------------------------------------------------


def test_work_of_a_hash_by_hand():
    workload = WORKLOADS["hyperplane_hash"]
    args = workload.make(0, 37, "float32")
    work = workload.work(args, workload.of(*args, **workload.options))
    assert work.bytes == 4 * (37 * 64 + 16 * 64) + 8 * 37
    assert work.operations == 37 * 16 * (64 + 63 + 1)
    assert work.paired == 2 * 37 * 16 * 63
    assert work.lookups == 0


# What does not fit ------------------------------------------------------------------------------------


X, W, V = exact(0, (9, 3)), exact(1, (7, 3)), exact(2, 7)
T = V[:3]
WRONG = [
    (ValueError, ops.hyperplane_hash, (np.zeros((3, 2)), np.zeros((4, 3))), {}),
    (TypeError, ops.hyperplane_hash, (np.zeros((3, 2), complex), np.zeros((4, 2))), {}),
    (ValueError, ops.hyperplane_hash, (np.zeros((3, 2)), np.zeros((63, 2))), {}),
    (ValueError, ops.pstable_hash, (np.zeros((3, 2)), np.zeros((4, 2)), np.zeros(3)), {"levels": 2}),
    (ValueError, ops.pstable_hash, (np.zeros((3, 2)), np.zeros((9, 2)), np.zeros(9)), {"levels": 1000}),
    (ValueError, ops.pstable_hash, (np.zeros((3, 2)), np.zeros((1, 2)), np.zeros(1)), {"levels": 2**60}),
    (TypeError, ops.pstable_hash, (X, W > 0, V), {"levels": 2}),
    (ValueError, ops.pstable_hash, (X[0], W, V), {"levels": 2}),
    (ValueError, ops.pstable_hash, (X, W, T), {"levels": 2}),
    (ValueError, ops.pstable_hash, (X, W[:, 1:], V), {"levels": 2}),
    (ValueError, ops.pstable_hash, (X, W[:0], V[:0]), {"levels": 2}),
    (TypeError, ops.hyperplane_hash, (np.ones((2, 3), np.complex64), np.ones((2, 3))), {}),
    (ValueError, ops.hyperplane_hash, (np.ones((4, 3)), np.ones((2, 4))), {}),
    (ValueError, ops.pstable_hash, (np.ones((4, 3)), np.ones((2, 3)), np.ones(2)), {"levels": 2**60}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
