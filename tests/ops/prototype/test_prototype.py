"""The nearest of some points, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import equal, on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import quarters
from cuda.counting import agrees, run_router
from ops.alike import exact, same, with_twins
from ops.on_cpu import BACKENDS, EACH, fast
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops import backends
from sparsebench.ops.prototype import definition as prototype
from sparsebench.timing import WORKLOADS

FLOATS = (np.float32, np.float64)
SEEDS = st.integers(0, 2**32 - 1)
FEW = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)


def test_nearest_prototype_takes_the_first_among_equals():
    prototypes = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert ops.nearest_prototype(np.array([[1.0, 0.0], [0.5, 0.0], [0.1, 0.0]]), prototypes).tolist() == [
        0,
        0,
        1,
    ]
    with pytest.raises(ValueError, match="nearest_prototype"):
        ops.nearest_prototype(FEW, prototypes[:0])
    with pytest.raises(TypeError, match="booleans twice"):  # NumPy does not subtract them
        ops.nearest_prototype(prototypes > 0, prototypes > 0)


def test_to_the_nearest_child_at_every_node():
    points = np.array([[-1.0], [1.0], [-3.0], [-0.1], [0.1], [3.0]])
    x = np.array([[-5.0], [-1.5], [0.0], [0.2], [5.0]])
    # 0 is as far from both children of the root; then -0.1 is nearer than -3.
    assert ops.nearest_in_tree(x, points, arity=2).tolist() == [0, 1, 1, 2, 3]


def test_one_level_of_points_is_the_nearest_prototype():
    x, points = exact(0, (50, 3)), exact(1, (7, 3))
    np.testing.assert_array_equal(ops.nearest_in_tree(x, points, arity=7), ops.nearest_prototype(x, points))


@given(seed=SEEDS, arity=st.integers(2, 4), depth=st.integers(0, 3), d=st.integers(0, 3))
def test_a_tree_of_points_asks_level_by_level(seed, arity, depth, d):
    points = exact(seed, (sum(arity**level for level in range(1, depth + 1)), d))
    x = exact(seed + 1, (6, d))
    for row, got in zip(x, ops.nearest_in_tree(x, points, arity=arity), strict=True):
        leaf, first = 0, 0
        for level in range(depth):
            children = points[first + arity * leaf :][:arity]
            leaf = arity * leaf + int(np.argmin(((row - children) ** 2).sum(axis=1)))
            first += arity ** (level + 1)
        assert got == leaf


def test_chunks_of_rows_change_nothing(monkeypatch):
    x, points = exact(0, (9, 3)), exact(1, (14, 3))

    def results():
        with backends.use("steady"):
            return (
                ops.nearest_in_tree(x, points, arity=2),
                *(part for _, part in ops.nearest_in_tree.touched(x, points, arity=2)),
            )

    whole = results()
    monkeypatch.setattr(prototype, "_CHUNK", 1)
    for got, want in zip(results(), whole, strict=True):
        np.testing.assert_array_equal(got, want)


# On the processor: its fast backends ------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_nearest_is_the_reference_s_also_where_rounding_decides(which, dtype, shift):
    rng = np.random.default_rng(7)
    centres = rng.standard_normal((20, 30))
    points = (np.repeat(centres, 5, axis=0) + shift).astype(dtype)  # equal ones,
    points[::2] *= dtype(1) + rng.integers(-2, 3, points[::2].shape).astype(dtype) * np.finfo(dtype).eps
    x = (centres[rng.integers(0, 20, 1000)] + shift + 0.1 * rng.standard_normal((1000, 30))).astype(dtype)
    x[:100] = points
    same(fast(which, ops.nearest_prototype, x, points), ops.nearest_prototype.reference(x, points))


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@np.errstate(all="ignore")
def test_nearest_where_numbers_are_at_their_ends(which, dtype):
    rng = np.random.default_rng(8)
    facts = np.finfo(dtype)
    for scale in (np.sqrt(facts.max) / 4, np.sqrt(facts.tiny), facts.smallest_subnormal * 9, facts.max / 2):
        points = (rng.standard_normal((40, 7)) * scale).astype(dtype)
        x = (rng.standard_normal((200, 7)) * scale).astype(dtype)
        same(fast(which, ops.nearest_prototype, x, points), ops.nearest_prototype.reference(x, points))
    x, points = rng.standard_normal((200, 7)).astype(dtype), rng.standard_normal((40, 7)).astype(dtype)
    x[3, 2], x[5, 1], x[7, 0] = np.nan, np.inf, -np.inf
    same(fast(which, ops.nearest_prototype, x, points), ops.nearest_prototype.reference(x, points))
    points[11, 3], points[12, 4] = np.nan, np.inf
    same(fast(which, ops.nearest_prototype, x, points), ops.nearest_prototype.reference(x, points))
    same(
        fast(which, ops.nearest_in_tree, x, points[:30], arity=5),
        ops.nearest_in_tree.reference(x, points[:30], arity=5),
    )


@pytest.mark.parametrize("which", [*BACKENDS, "steady"])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    dtype=st.sampled_from([np.float32, np.float64]),
    n=st.sampled_from([1, 2, 33, 200]),
    many=st.sampled_from([2, 3, 5, 9, 17, 40]),
    d=st.sampled_from([1, 3, 17, 100]),
)
def test_of_equal_prototypes_the_first_is_nearest(which, seed, dtype, n, many, d):
    rng = np.random.default_rng(seed)
    vectors, first = with_twins(rng, (many, d), dtype)
    x = rng.standard_normal((n, d)).astype(dtype)
    if which == "steady":
        nearest = ops.nearest_prototype.on_numpy_steadily(x, vectors)
    else:
        nearest = fast(which, ops.nearest_prototype, x, vectors)
    np.testing.assert_array_equal(first[nearest], nearest)


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "many", "d"), [(0, 3, 2), (1, 1, 5), (130, 70, 33), (65, 200, 2), (40, 3, 0)])
def test_points_on_a_gpu(dtype, n, many, d):
    rng = np.random.default_rng(many)
    x, points = quarters(rng, (n, d), dtype, 3), quarters(rng, (many, d), dtype, 3)
    equal(
        on_all_schedules(ops.nearest_prototype, x, points),
        reference(ops.nearest_prototype, x, points),
    )


@on_the_processor
def test_nearest_prototype_in_large_tiles():
    rng = np.random.default_rng(3)
    x, points = quarters(rng, (530, 19), limit=2), quarters(rng, (150, 19), limit=2)
    device = shim.ShimDevice(2)
    equal(on_gpu(ops.nearest_prototype, device, x, points), reference(ops.nearest_prototype, x, points))
    assert device.launched == ["nearest_prototype<float, 8>"]


@on_the_processor
def test_a_distance_that_is_no_number_is_the_least():
    x = np.zeros((2, 3), dtype=np.float64)
    points = np.ones((100, 3))
    points[40, 1] = points[70, 0] = np.nan
    equal(on_gpu(ops.nearest_prototype, shim.ShimDevice(), x, points), np.array([40, 40]))
    equal(on_gpu(ops.nearest_in_tree, shim.ShimDevice(), x, points, arity=100), np.array([40, 40]))


@on_the_processor
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("n", "arity", "depth", "d"), [(0, 2, 2, 3), (37, 2, 6, 5), (50, 7, 3, 64), (20, 3, 2, 150), (5, 4, 0, 2)]
)
def test_trees_of_points_on_a_gpu(dtype, n, arity, depth, d):
    rng = np.random.default_rng(arity)
    rows = sum(arity**level for level in range(1, depth + 1))
    x, points = quarters(rng, (n, d), dtype, 3), quarters(rng, (rows, d), dtype, 3)
    made = on_all_schedules(ops.nearest_in_tree, x, points, arity=arity)
    equal(made, reference(ops.nearest_in_tree, x, points, arity=arity))


@on_the_processor
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "many", "d"), [(1, 3, 17), (70, 130, 33), (65, 64, 8)])
def test_of_equal_prototypes_the_first_is_nearest_on_a_gpu(dtype, n, many, d):
    rng = np.random.default_rng(d)
    vectors = rng.standard_normal((many, d)).astype(dtype)
    first = np.arange(many)
    first[many // 2 :] = rng.integers(many // 2, size=many - many // 2)
    vectors, x = vectors[first], rng.standard_normal((n, d)).astype(dtype)
    nearest = on_all_schedules(ops.nearest_prototype, x, vectors)
    equal(first[nearest], nearest)


@on_the_processor
def test_arrays_need_not_be_dense():
    rng = np.random.default_rng(8)
    x, points = quarters(rng, (60, 40))[::2, ::-2], quarters(rng, (20, 9)).T
    device = shim.ShimDevice(1)
    equal(on_gpu(ops.nearest_prototype, device, x, points), reference(ops.nearest_prototype, x, points))
    shifted = quarters(rng, 21 * 8 + 1)[1:].reshape(21, 8)  # dense, but not where vectors of 16 bytes may be
    tree_of_points = shifted[1:15]
    made = on_gpu(ops.nearest_in_tree, device, shifted, tree_of_points, arity=2)
    equal(made, reference(ops.nearest_in_tree, shifted, tree_of_points, arity=2))


@on_the_processor
def test_what_no_kernel_takes_is_left_to_the_reference():
    device, whole = shim.ShimDevice(), np.ones((4, 3), dtype=np.int64)
    assert on_gpu(ops.nearest_prototype, device, whole, whole) is NotImplemented
    assert device.launched == []


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize(("n", "many", "d"), [(150, 7, 6), (3, 1, 4)])
def test_points_are_counted(n, many, d):
    rng = np.random.default_rng(1)
    x, points = quarters(rng, (n, d)), quarters(rng, (many, d))
    agrees(
        ops.nearest_prototype,
        run_router("prototype.cu", "nearest_prototype", n, x, points, sizes=(many, d)),
        x,
        points,
    )


@on_the_processor
@pytest.mark.parametrize(("arity", "depth"), [(2, 4), (5, 2), (3, 0)])
def test_trees_of_points_are_counted(arity, depth):
    rng = np.random.default_rng(2)
    x = quarters(rng, (140, 3))
    points = quarters(rng, (sum(arity**level for level in range(1, depth + 1)), 3))
    found = run_router("prototype.cu", "nearest_in_tree", 140, x, points, sizes=(3, arity, depth))
    agrees(ops.nearest_in_tree, found, x, points, arity=arity)


# What a call needs at least --------------------------------------------------------------------------


def test_of_a_distance_only_what_a_product_with_the_prototypes_needs_is_paired():
    workload = WORKLOADS["nearest_prototype"]
    args = workload.make(0, 37, "float32")
    work = workload.work(args, workload.of(*args, **workload.options))
    assert work.operations == 37 * (1024 * (64 + 64 + 63) + 1023)
    assert work.paired == 2 * 37 * 1024 * 64


# What does not fit ------------------------------------------------------------------------------------


X, W, V = exact(0, (9, 3)), exact(1, (7, 3)), exact(2, 7)
T = V[:3]
WRONG = [
    (ValueError, ops.nearest_prototype, (np.zeros((3, 2)), np.zeros((0, 2))), {}),
    (ValueError, ops.nearest_in_tree, (np.zeros((3, 2)), np.zeros((5, 2))), {"arity": 2}),
    (TypeError, ops.nearest_in_tree, (X + 1j, W[:6]), {"arity": 2}),
    (TypeError, ops.nearest_in_tree, (X > 0, W[:6]), {"arity": 2}),
    (ValueError, ops.nearest_in_tree, (X, W), {"arity": 2}),
    (ValueError, ops.nearest_in_tree, (X, W[:1]), {"arity": 2**64}),
    (ValueError, ops.nearest_in_tree, (X, W[:6]), {"arity": 1}),
    (ValueError, ops.nearest_in_tree, (X, W[:6, 1:]), {"arity": 2}),
    (ValueError, ops.nearest_in_tree, (X[0], W[:6]), {"arity": 2}),
    (TypeError, ops.nearest_prototype, (np.ones((2, 3)), np.ones((2, 3), np.complex64)), {}),
    (ValueError, ops.nearest_prototype, (np.ones((4, 3)), np.ones((2, 4))), {}),
    (ValueError, ops.nearest_in_tree, (np.ones((4, 3)), np.ones((5, 3))), {"arity": 2}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
