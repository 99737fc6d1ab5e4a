"""The routing kernels, run on the processor, against the references: the same answers in any schedule."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import shim
from faces import on_all_schedules, quarters, reference, same

from sparsebench import ops
from sparsebench.ops.gating import on_cuda as gating
from sparsebench.ops.hashing import on_cuda as hashing
from sparsebench.ops.prototype import on_cuda as prototype
from sparsebench.ops.tree import on_cuda as tree

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))

FLOATS = (np.float32, np.float64)


@pytest.mark.parametrize("dtype", [*FLOATS, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize(
    ("n", "d", "shape"), [(0, 8, (3,)), (1, 1, (1,)), (300, 17, (2, 10)), (513, 64, (8,)), (70, 20, (62,))]
)
def test_hyperplane_hash(dtype, n, d, shape):
    rng = np.random.default_rng(n)
    x, planes = quarters(rng, (n, d), dtype, 4), quarters(rng, (*shape, d), dtype, 4)
    offsets = quarters(rng, shape, dtype)
    wide = [part.astype(np.float64) for part in (x, planes, offsets)]
    device = shim.ShimDevice(2)
    same(hashing.hyperplane_hash(device, x, planes), reference(ops.hyperplane_hash, *wide[:2]))
    same(hashing.hyperplane_hash(device, x, planes, offsets), reference(ops.hyperplane_hash, *wide))


@pytest.mark.parametrize("dtype", [*FLOATS, ml_dtypes.bfloat16])
@pytest.mark.parametrize(
    ("n", "d", "shape", "levels"),
    [(0, 8, (3,), 4), (1, 5, (1,), 2**40), (300, 33, (3, 9), 5), (260, 12, (20,), 7), (9, 4, (70,), 1)],
)
def test_pstable_hash(dtype, n, d, shape, levels):
    rng = np.random.default_rng(d)
    x, directions = quarters(rng, (n, d), dtype, 4), quarters(rng, (*shape, d), dtype, 4)
    offsets = quarters(rng, shape, dtype)
    wide = [part.astype(np.float64) for part in (x, directions, offsets)]
    made = hashing.pstable_hash(shim.ShimDevice(3), x, directions, offsets, levels=levels)
    same(made, reference(ops.pstable_hash, *wide, levels=levels))


@pytest.mark.parametrize("d", [24, 700])
def test_hashes_go_through_vectors_in_parts_where_shared_memory_is_short(d):
    rng = np.random.default_rng(5)
    x, planes, offsets = quarters(rng, (130, d)), quarters(rng, (3, 18, d)), quarters(rng, (3, 18))
    device = shim.ShimDevice(2, shared_bytes=20 << 10)
    whole = [on_all_schedules(hashing.hyperplane_hash, x, planes, offsets)]
    same(whole[0], reference(ops.hyperplane_hash, x, planes, offsets))
    same(hashing.hyperplane_hash(device, x, planes, offsets), whole[0])
    made = hashing.pstable_hash(device, x, planes, offsets, levels=6)
    same(made, reference(ops.pstable_hash, x, planes, offsets, levels=6))


def test_hashes_take_numbers_that_are_none():
    x = np.array([[np.nan, 1.0], [np.inf, 1.0], [-np.inf, 1.0]], dtype=np.float32)
    planes, zeros = np.ones((3, 2), dtype=np.float32), np.zeros(3, dtype=np.float32)
    device = shim.ShimDevice()
    same(hashing.hyperplane_hash(device, x, planes), reference(ops.hyperplane_hash, x, planes))
    made = hashing.pstable_hash(device, x, planes, zeros, levels=9)
    same(made, reference(ops.pstable_hash, x, planes, zeros, levels=9))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "many", "d"), [(0, 3, 2), (1, 1, 5), (130, 70, 33), (65, 200, 2), (40, 3, 0)])
def test_nearest_prototype(dtype, n, many, d):
    rng = np.random.default_rng(many)
    x, points = quarters(rng, (n, d), dtype, 3), quarters(rng, (many, d), dtype, 3)
    same(
        on_all_schedules(prototype.nearest_prototype, x, points),
        reference(ops.nearest_prototype, x, points),
    )


def test_nearest_prototype_in_large_tiles():
    rng = np.random.default_rng(3)
    x, points = quarters(rng, (530, 19), limit=2), quarters(rng, (150, 19), limit=2)
    device = shim.ShimDevice(2)
    same(prototype.nearest_prototype(device, x, points), reference(ops.nearest_prototype, x, points))
    assert device.launched == ["nearest_prototype<float, 8>"]


def test_a_distance_that_is_no_number_is_the_least():
    x = np.zeros((2, 3), dtype=np.float64)
    points = np.ones((100, 3))
    points[40, 1] = points[70, 0] = np.nan
    same(prototype.nearest_prototype(shim.ShimDevice(), x, points), np.array([40, 40]))
    same(prototype.nearest_in_tree(shim.ShimDevice(), x, points, arity=100), np.array([40, 40]))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("n", "arity", "depth", "d"), [(0, 2, 2, 3), (37, 2, 6, 5), (50, 7, 3, 64), (20, 3, 2, 150), (5, 4, 0, 2)]
)
def test_nearest_in_tree(dtype, n, arity, depth, d):
    rng = np.random.default_rng(arity)
    rows = sum(arity**level for level in range(1, depth + 1))
    x, points = quarters(rng, (n, d), dtype, 3), quarters(rng, (rows, d), dtype, 3)
    made = on_all_schedules(prototype.nearest_in_tree, x, points, arity=arity)
    same(made, reference(ops.nearest_in_tree, x, points, arity=arity))


@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.int64])
@pytest.mark.parametrize(("shape", "depth"), [((0,), 3), ((), 4), ((3000,), 0), ((50, 60), 13), ((7,), 1)])
def test_tree_route(dtype, shape, depth):
    rng = np.random.default_rng(depth)
    key = quarters(rng, shape, np.float64, 400) * 4
    thresholds = quarters(rng, 2**depth - 1, np.float64, 400) * 4
    key, thresholds = np.asarray(key).astype(dtype), thresholds.astype(dtype)
    same(
        np.asarray(on_all_schedules(tree.tree_route, key, thresholds)),
        np.asarray(reference(ops.tree_route, key, thresholds)),
    )


@pytest.mark.parametrize("index", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize(("n", "d", "depth"), [(0, 4, 2), (2000, 6, 12), (3, 1, 0), (900, 200, 5)])
def test_axis_tree_route(index, n, d, depth):
    rng = np.random.default_rng(n)
    x, thresholds = quarters(rng, (n, d)), quarters(rng, 2**depth - 1)
    features = rng.integers(0, d, size=2**depth - 1).astype(index)
    same(
        on_all_schedules(tree.axis_tree_route, x, features, thresholds),
        reference(ops.axis_tree_route, x, features, thresholds),
    )


def test_a_row_that_meets_a_feature_out_of_range_gets_minus_one():
    x = np.array([[1.0, 2.0], [-1.0, 2.0]])
    features, thresholds = np.array([0, 2, 1]), np.zeros(3)
    same(tree.axis_tree_route(shim.ShimDevice(), x, features, thresholds), np.array([3, -1]))
    features[1] = -1
    same(tree.axis_tree_route(shim.ShimDevice(), x, features, thresholds), np.array([3, -1]))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "d", "depth"), [(0, 4, 2), (100, 7, 5), (33, 64, 4), (20, 300, 3), (3, 2, 0)])
def test_oblique_tree_route(dtype, n, d, depth):
    rng = np.random.default_rng(d)
    x, normals = quarters(rng, (n, d), dtype, 4), quarters(rng, (2**depth - 1, d), dtype, 4)
    thresholds = quarters(rng, 2**depth - 1, dtype)
    same(
        on_all_schedules(tree.oblique_tree_route, x, normals, thresholds),
        reference(ops.oblique_tree_route, x, normals, thresholds),
    )


@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.int64])
@pytest.mark.parametrize(("shape", "m"), [((0,), 3), ((900,), 0), ((900,), 1), ((40, 30), 1000), ((5,), 37)])
@pytest.mark.parametrize("shared_bytes", [227 << 10, 64])
def test_searchsorted_route(dtype, shape, m, shared_bytes):
    rng = np.random.default_rng(m)
    x, edges = quarters(rng, shape, np.float64, 900) * 4, np.sort(quarters(rng, m, np.float64, 900) * 4)
    x, edges = x.astype(dtype), edges.astype(dtype)
    device = shim.ShimDevice(2, shared_bytes=shared_bytes)
    same(tree.searchsorted_route(device, x, edges), np.searchsorted(edges, x, side="left"))


def test_all_edges_are_below_what_is_no_number():
    edges = np.array([-np.inf, 0.0, np.inf], dtype=np.float32)
    x = np.array([np.nan, np.inf, -np.inf, 0.5], dtype=np.float32)
    same(tree.searchsorted_route(shim.ShimDevice(), x, edges), np.array([3, 2, 0, 2]))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("n", "many", "d", "k"), [(0, 4, 3, 2), (1, 1, 1, 1), (70, 130, 17, 4), (65, 40, 8, 32), (10, 64, 20, 1)]
)
@pytest.mark.parametrize("biased", [False, True])
def test_top_k_gate(dtype, n, many, d, k, biased):
    rng = np.random.default_rng(many)
    x, weights = quarters(rng, (n, d), dtype, 2), quarters(rng, (many, d), dtype, 2)
    bias = quarters(rng, many, dtype) if biased else None
    experts, gates = on_all_schedules(gating.top_k_gate, x, weights, bias, k=k)
    expected, expected_gates = reference(ops.top_k_gate, x, weights, bias, k=k)
    same(experts, expected)
    assert gates.dtype == dtype
    np.testing.assert_allclose(gates, expected_gates, rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", [*FLOATS, np.float16])
@pytest.mark.parametrize(("n", "many", "d", "k"), [(1, 3, 17, 2), (70, 130, 33, 6), (65, 64, 8, 32)])
def test_of_equal_experts_planes_and_prototypes_the_first_is_chosen(dtype, n, many, d, k):
    rng = np.random.default_rng(d)
    vectors = rng.standard_normal((many, d)).astype(dtype)
    first = np.arange(many)
    first[many // 2 :] = rng.integers(many // 2, size=many - many // 2)
    vectors, x = vectors[first], rng.standard_normal((n, d)).astype(dtype)
    if dtype != np.float16:  # which they do not take
        for row in on_all_schedules(gating.top_k_gate, x, vectors, k=k)[0]:
            for place, expert in enumerate(row):
                lower = [other for other in range(expert) if first[other] == first[expert]]
                assert set(lower) <= set(row[:place])
        nearest = on_all_schedules(prototype.nearest_prototype, x, vectors)
        same(first[nearest], nearest)
    limits = (vectors @ x[0]).astype(dtype)[first]  # where rounding decides
    bits = on_all_schedules(hashing.hyperplane_hash, x, vectors[:, None, :], limits[:, None])
    same(bits, bits[:, first])


def test_a_logit_that_is_no_number_comes_last():
    x, weights = np.ones((1, 1)), np.array([[1.0], [np.nan], [-np.inf], [np.nan], [2.0]])
    experts, gates = gating.top_k_gate(shim.ShimDevice(), x, weights, k=5)
    same(experts, np.array([[4, 0, 2, 1, 3]]))
    assert np.isnan(gates).all()
    experts, gates = gating.top_k_gate(shim.ShimDevice(), x, weights, k=2)
    same(experts, np.array([[4, 0]]))
    assert np.isfinite(gates).all()


def test_arrays_need_not_be_dense():
    rng = np.random.default_rng(8)
    x, planes = quarters(rng, (60, 40))[::2, ::-2], quarters(rng, (20, 9)).T
    device = shim.ShimDevice(1)
    same(hashing.hyperplane_hash(device, x, planes), reference(ops.hyperplane_hash, x, planes))
    same(prototype.nearest_prototype(device, x, planes), reference(ops.nearest_prototype, x, planes))
    same(tree.tree_route(device, x, planes[0, :15]), reference(ops.tree_route, x, planes[0, :15]))
    shifted = quarters(rng, 21 * 8 + 1)[1:].reshape(21, 8)  # dense, but not where vectors of 16 bytes may be
    same(
        hashing.hyperplane_hash(device, shifted, planes[:, :8]),
        reference(ops.hyperplane_hash, shifted, planes[:, :8]),
    )
    tree_of_points = shifted[1:15]
    made = prototype.nearest_in_tree(device, shifted, tree_of_points, arity=2)
    same(made, reference(ops.nearest_in_tree, shifted, tree_of_points, arity=2))


def test_what_no_kernel_takes_is_left_to_the_next_face():
    whole = np.ones((4, 3), dtype=np.int64)
    device = shim.ShimDevice()
    assert hashing.hyperplane_hash(device, whole, whole) is NotImplemented
    assert (
        hashing.hyperplane_hash(device, whole.astype(np.float32), whole.astype(np.float32), np.ones(4))
        is NotImplemented
    )
    assert prototype.nearest_prototype(device, whole, whole) is NotImplemented
    assert tree.tree_route(device, whole.astype(np.float16), np.ones(3, np.float16)) is NotImplemented
    assert gating.top_k_gate(device, np.ones((2, 3)), np.ones((40, 3)), k=33) is NotImplemented
    assert device.launched == []


def test_shapes_are_checked_as_the_reference_does():
    device, x = shim.ShimDevice(), np.ones((4, 3))
    for call in (
        lambda: hashing.hyperplane_hash(device, x, np.ones((2, 4))),
        lambda: hashing.pstable_hash(device, x, np.ones((2, 3)), np.ones(2), levels=2**60),
        lambda: prototype.nearest_prototype(device, x, np.ones((2, 4))),
        lambda: prototype.nearest_in_tree(device, x, np.ones((5, 3)), arity=2),
        lambda: tree.tree_route(device, x, np.ones(4)),
        lambda: tree.axis_tree_route(device, x, np.ones(4, np.int64), np.ones(4)),
        lambda: tree.oblique_tree_route(device, x, np.ones((3, 2)), np.ones(3)),
        lambda: tree.searchsorted_route(device, x, np.ones((4, 2))),
        lambda: gating.top_k_gate(device, x, np.ones((4, 3)), k=5),
    ):
        with pytest.raises(ValueError, match=r"expected|must be"):
            call()
    with pytest.raises(TypeError):
        tree.axis_tree_route(device, x, np.ones(3), np.ones(3))
    assert device.launched == []
