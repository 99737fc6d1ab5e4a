"""Descents of trees, on every backend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuda import shim
from cuda.backends import equal, on_all_schedules, on_gpu, on_the_processor, reference
from cuda.case import quarters
from cuda.counting import agrees, run_router
from ops.alike import exact
from ops.on_cpu import EACH, check
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops import backends
from sparsebench.ops.tree import descent
from sparsebench.timing import WORKLOADS

FLOATS = (np.float32, np.float64)
NAN = np.nan
SEEDS = st.integers(0, 2**32 - 1)
FEW = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)


@given(depth=st.integers(0, 7), data=st.data())
def test_tree_route_is_a_search(depth, data):
    edges = np.arange(2**depth - 1, dtype=np.float64)
    keys = np.array(data.draw(st.lists(st.floats(-2, 200), max_size=5)))
    order = []
    level = [(0, len(edges))]
    while any(low < high for low, high in level):
        middles = [(low + high) // 2 for low, high in level]
        order += [edges[middle] for middle in middles]
        pairs = zip(level, middles, strict=True)
        level = [part for (low, high), middle in pairs for part in ((low, middle), (middle + 1, high))]
    leaves = ops.tree_route(keys, np.array(order))
    assert leaves.tolist() == np.searchsorted(edges, keys, side="left").tolist()


def test_tree_route_refuses_a_ragged_tree():
    with pytest.raises(ValueError, match="2\\*\\*depth"):
        ops.tree_route(FEW[:, 0], np.zeros(4))


def test_axes():
    x = np.array([[0.0, 0.0], [0.0, 2.0], [2.0, 5.0], [2.0, 5.5], [NAN, NAN]])
    leaf = ops.axis_tree_route(x, np.array([0, 1, 1], np.uint8), np.array([1.0, 1.0, 5.0]))
    assert leaf.tolist() == [0, 1, 2, 3, 0]
    assert leaf.dtype == np.int64


def test_planes():
    x = np.array([[0.0, 0.0], [0.5, 0.0], [2.0, 5.0], [6.0, 5.5], [NAN, 0.0]])
    normals, thresholds = np.array([[1.0, 1.0], [2.0, 0.0], [1.0, -1.0]]), np.array([1.0, 0.5, 0.0])
    assert ops.oblique_tree_route(x, normals, thresholds).tolist() == [0, 1, 2, 3, 0]


@given(seed=SEEDS, depth=st.integers(0, 4))
def test_trees_of_one_feature_agree(seed, depth):
    """All four are one thing where the nodes compare one feature with thresholds in order."""
    x, edges = exact(seed, (20, 3)), np.sort(exact(seed + 1, 2**depth - 1))
    order = [
        place
        for level in range(depth)
        for place in range(2 ** (depth - 1 - level) - 1, len(edges), 2 ** (depth - level))
    ]
    want = ops.searchsorted_route(x[:, 1], edges)
    np.testing.assert_array_equal(want, (edges[None, :] < x[:, 1:2]).sum(axis=1))
    nodes, normal = edges[order], np.eye(3)[np.ones(len(edges), int)]
    np.testing.assert_array_equal(ops.tree_route(x[:, 1], nodes), want)
    np.testing.assert_array_equal(ops.axis_tree_route(x, np.ones(len(edges), int), nodes), want)
    np.testing.assert_array_equal(ops.oblique_tree_route(x, normal, nodes), want)


def test_edges():
    edges = np.array([0.0, 1.0, 1.0, 2.0], dtype=np.float32)
    x = np.array([[-1.0, 0.0, 0.5], [1.0, 2.0, 2.5], [NAN, np.inf, -np.inf]])
    got = ops.searchsorted_route(x, edges)
    assert got.tolist() == [[0, 0, 1], [1, 3, 4], [4, 4, 0]]
    assert got.dtype == np.int64
    assert ops.searchsorted_route(np.float64(1.5), edges) == 3
    assert ops.searchsorted_route(x, edges[:0]).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("features", [[2, 0, 0], [0, 0, -1]])
@pytest.mark.parametrize("rows", [0, 3])
def test_features_are_checked_also_where_no_row_comes_by(features, rows):
    x, thresholds = np.zeros((rows, 2)), np.full(3, 9.0)
    for call in (ops.axis_tree_route, ops.axis_tree_route.reference):
        with pytest.raises(IndexError, match=r"^axis_tree_route: features has a value outside \[0, 2\)$"):
            call(x, np.array(features), thresholds)


def test_chunks_of_rows_change_nothing(monkeypatch):
    x, normals = exact(0, (9, 3)), exact(2, (7, 3))

    def results():
        with backends.use("steady"):
            return (
                ops.oblique_tree_route(x, normals, normals[:, 0]),
                *(part for _, part in ops.oblique_tree_route.touched(x, normals, normals[:, 0])),
            )

    whole = results()
    monkeypatch.setattr(descent, "_CHUNK", 1)
    for got, want in zip(results(), whole, strict=True):
        np.testing.assert_array_equal(got, want)


# On the processor: its fast backends ------------------------------------------------------------------


@EACH
@np.errstate(all="ignore")
def test_nan_and_infinity(which):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((300, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    x[rng.random(x.shape) < 0.1] = np.inf
    planes, few = rng.standard_normal((9, 6)).astype(np.float32), np.zeros(7, dtype=np.float32)
    check(which, ops.searchsorted_route, (x, np.asarray([-1, 0, 0.5, np.inf, np.nan], np.float32)), {})
    check(which, ops.tree_route, (x, few), {})
    check(which, ops.axis_tree_route, (x, np.arange(7) % 6, few), {})
    check(which, ops.oblique_tree_route, (x, planes[:7], few), {})


# CUDA kernels, run on the processor: the same answers in any schedule ---------------------------------


@on_the_processor
@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.int64])
@pytest.mark.parametrize(("shape", "depth"), [((0,), 3), ((), 4), ((3000,), 0), ((50, 60), 13), ((7,), 1)])
def test_keys_on_a_gpu(dtype, shape, depth):
    rng = np.random.default_rng(depth)
    key = quarters(rng, shape, np.float64, 400) * 4
    thresholds = quarters(rng, 2**depth - 1, np.float64, 400) * 4
    key, thresholds = np.asarray(key).astype(dtype), thresholds.astype(dtype)
    equal(
        np.asarray(on_all_schedules(ops.tree_route, key, thresholds)),
        np.asarray(reference(ops.tree_route, key, thresholds)),
    )


@on_the_processor
@pytest.mark.parametrize("index", [np.int64, np.int32, np.uint8])
@pytest.mark.parametrize(("n", "d", "depth"), [(0, 4, 2), (2000, 6, 12), (3, 1, 0), (900, 200, 5)])
def test_axes_on_a_gpu(index, n, d, depth):
    rng = np.random.default_rng(n)
    x, thresholds = quarters(rng, (n, d)), quarters(rng, 2**depth - 1)
    features = rng.integers(0, d, size=2**depth - 1).astype(index)
    equal(
        on_all_schedules(ops.axis_tree_route, x, features, thresholds),
        reference(ops.axis_tree_route, x, features, thresholds),
    )


@on_the_processor
def test_a_row_that_meets_a_feature_out_of_range_gets_minus_one():
    x = np.array([[1.0, 2.0], [-1.0, 2.0]])
    features, thresholds = np.array([0, 2, 1]), np.zeros(3)
    equal(on_gpu(ops.axis_tree_route, shim.ShimDevice(), x, features, thresholds), np.array([3, -1]))
    features[1] = -1
    equal(on_gpu(ops.axis_tree_route, shim.ShimDevice(), x, features, thresholds), np.array([3, -1]))


@on_the_processor
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n", "d", "depth"), [(0, 4, 2), (100, 7, 5), (33, 64, 4), (20, 300, 3), (3, 2, 0)])
def test_planes_on_a_gpu(dtype, n, d, depth):
    rng = np.random.default_rng(d)
    x, normals = quarters(rng, (n, d), dtype, 4), quarters(rng, (2**depth - 1, d), dtype, 4)
    thresholds = quarters(rng, 2**depth - 1, dtype)
    equal(
        on_all_schedules(ops.oblique_tree_route, x, normals, thresholds),
        reference(ops.oblique_tree_route, x, normals, thresholds),
    )


@on_the_processor
@pytest.mark.parametrize("dtype", [*FLOATS, np.int32, np.int64])
@pytest.mark.parametrize(("shape", "m"), [((0,), 3), ((900,), 0), ((900,), 1), ((40, 30), 1000), ((5,), 37)])
@pytest.mark.parametrize("shared_bytes", [227 << 10, 64])
def test_edges_on_a_gpu(dtype, shape, m, shared_bytes):
    rng = np.random.default_rng(m)
    x, edges = quarters(rng, shape, np.float64, 900) * 4, np.sort(quarters(rng, m, np.float64, 900) * 4)
    x, edges = x.astype(dtype), edges.astype(dtype)
    device = shim.ShimDevice(2, shared_bytes=shared_bytes)
    equal(on_gpu(ops.searchsorted_route, device, x, edges), np.searchsorted(edges, x, side="left"))


@on_the_processor
def test_all_edges_are_below_what_is_no_number():
    edges = np.array([-np.inf, 0.0, np.inf], dtype=np.float32)
    x = np.array([np.nan, np.inf, -np.inf, 0.5], dtype=np.float32)
    equal(on_gpu(ops.searchsorted_route, shim.ShimDevice(), x, edges), np.array([3, 2, 0, 2]))


@on_the_processor
def test_arrays_need_not_be_dense():
    rng = np.random.default_rng(8)
    x, thresholds = quarters(rng, (60, 40))[::2, ::-2], quarters(rng, (20, 9)).T[0, :15]
    made = on_gpu(ops.tree_route, shim.ShimDevice(1), x, thresholds)
    equal(made, reference(ops.tree_route, x, thresholds))


@on_the_processor
def test_what_no_kernel_takes_is_left_to_the_reference():
    device, short = shim.ShimDevice(), np.ones((4, 3), np.float16)
    assert on_gpu(ops.tree_route, device, short, np.ones(3, np.float16)) is NotImplemented
    assert device.launched == []


# What is charged is what a scalar program does --------------------------------------------------------


@on_the_processor
@pytest.mark.parametrize("depth", [0, 1, 6])
def test_trees_are_counted(depth):
    rng = np.random.default_rng(depth)
    nodes, d = 2**depth - 1, 5
    x, thresholds, normals = quarters(rng, (300, d)), quarters(rng, nodes), quarters(rng, (nodes, d))
    key, features = np.ascontiguousarray(x[:, 0]), rng.integers(0, d, size=nodes)
    agrees(
        ops.tree_route,
        run_router("tree.cu", "tree_route", 300, key, thresholds, sizes=(depth,)),
        key,
        thresholds,
    )
    found = run_router("tree.cu", "axis_tree_route", 300, x, features, thresholds, sizes=(d, depth))
    agrees(ops.axis_tree_route, found, x, features, thresholds)
    found = run_router("tree.cu", "oblique_tree_route", 300, x, normals, thresholds, sizes=(d, depth))
    agrees(ops.oblique_tree_route, found, x, normals, thresholds)


@on_the_processor
@pytest.mark.parametrize("m", [0, 1, 2, 3, 63, 64, 100])
def test_edges_are_counted(m):
    rng = np.random.default_rng(m)
    x, edges = quarters(rng, 200, limit=60), np.sort(quarters(rng, m, limit=60))
    found = run_router("tree.cu", "searchsorted_route", 200, x, edges, sizes=(np.int64(m),))
    agrees(ops.searchsorted_route, found, x, edges)


# What a call needs at least --------------------------------------------------------------------------


def test_of_a_tree_only_what_is_visited_is_moved():
    workload = WORKLOADS["axis_tree_route"]
    x, features, thresholds = workload.make(0, 1, "float32")
    result = workload.of(x, features, thresholds)
    depth = 16
    assert workload.work((x, features, thresholds), result).bytes <= depth * (4 + 8 + 4) + result.nbytes


# What does not fit ------------------------------------------------------------------------------------


NODES = np.array([0, 1, 0])
X, W, V = exact(0, (9, 3)), exact(1, (7, 3)), exact(2, 7)
T = V[:3]
WRONG = [
    (ValueError, ops.tree_route, (np.zeros(3), np.zeros(4)), {}),
    (IndexError, ops.axis_tree_route, (np.zeros((3, 2)), np.full(3, 2), np.zeros(3)), {}),
    (IndexError, ops.axis_tree_route, (np.zeros((3, 2)), np.full(3, -1), np.zeros(3)), {}),
    (TypeError, ops.axis_tree_route, (np.zeros((3, 2)), np.zeros(3), np.zeros(3)), {}),
    (ValueError, ops.oblique_tree_route, (np.zeros((3, 2)), np.zeros((3, 3)), np.zeros(3)), {}),
    (ValueError, ops.searchsorted_route, (np.zeros(3), np.zeros((2, 2))), {}),
    (TypeError, ops.axis_tree_route, (X + 1j, NODES, T), {}),
    (TypeError, ops.axis_tree_route, (X, NODES * 1.0, T), {}),
    (ValueError, ops.axis_tree_route, (X[0], NODES, T), {}),
    (ValueError, ops.axis_tree_route, (X, NODES[:2], T[:2]), {}),
    (ValueError, ops.axis_tree_route, (X, NODES[:1], T), {}),
    (ValueError, ops.axis_tree_route, (X, NODES[:, None], T[:, None]), {}),
    (ValueError, ops.axis_tree_route, (X, NODES[0], T[0]), {}),
    (TypeError, ops.oblique_tree_route, (X, W[:3] + 1j, T), {}),
    (ValueError, ops.oblique_tree_route, (X, W[:3, 1:], T), {}),
    (ValueError, ops.oblique_tree_route, (X, W[:3], T[:1]), {}),
    (ValueError, ops.oblique_tree_route, (X, W[:2], T[:2]), {}),
    (ValueError, ops.oblique_tree_route, (X[0], W[:3], T), {}),
    (TypeError, ops.searchsorted_route, (X, V + 1j), {}),
    (TypeError, ops.searchsorted_route, (X > 0, V), {}),
    (ValueError, ops.searchsorted_route, (X, W), {}),
    (TypeError, ops.tree_route, (np.ones(2, np.complex64), np.ones(3)), {}),
    (ValueError, ops.tree_route, (np.ones((4, 3)), np.ones(4)), {}),
    (ValueError, ops.axis_tree_route, (np.ones((4, 3)), np.ones(4, np.int64), np.ones(4)), {}),
    (TypeError, ops.axis_tree_route, (np.ones((4, 3)), np.ones(3), np.ones(3)), {}),
    (ValueError, ops.oblique_tree_route, (np.ones((4, 3)), np.ones((3, 2)), np.ones(3)), {}),
    (ValueError, ops.searchsorted_route, (np.ones((4, 3)), np.ones((4, 2))), {}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
