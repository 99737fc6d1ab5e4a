"""Routers on NumPy arrays: what they give, what they refuse, and that a row does not see its neighbours."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.alike import check_rows, random
from sparsebench import ops
from sparsebench.ops import PRIMITIVES, backends
from sparsebench.ops.prototype import definition as prototype
from sparsebench.ops.tree import descent

NAN = np.nan
NODES = np.array([0, 1, 0])
SEEDS = st.integers(0, 999)


def quarters(seed, shape, dtype=np.float64):
    """Numbers whose sums and products are exact, some of them equal."""
    return (np.random.default_rng(seed).integers(-6, 7, shape) / 4).astype(dtype)


# Hashes -----------------------------------------------------------------------------------------------


def test_cells_are_the_digits_of_an_address():
    x = np.array([[0.5, -1.0], [2.5, 9.0], [NAN, 0.0], [-1e300, 0.25]])
    directions, offsets = np.array([[1.0, 0.0], [0.0, 2.0], [0.5, 0.0]]), np.array([0.0, 1.0, 0.0])
    got = ops.pstable_hash(x, directions, offsets, levels=3)
    assert got.tolist() == [0, 2 * 9 + 2 * 3 + 1, 0, 3]
    assert got.dtype == np.int64


def test_tables_of_cells_stand_side_by_side():
    x, directions, offsets = quarters(0, (5, 3)), quarters(1, (4, 2, 3)), quarters(2, (4, 2))
    got = ops.pstable_hash(x, directions, offsets, levels=5)
    alone = [ops.pstable_hash(x, *table, levels=5) for table in zip(directions, offsets, strict=True)]
    np.testing.assert_array_equal(got, np.stack(alone, axis=1))


@given(seed=SEEDS, levels=st.integers(1, 6), k=st.integers(1, 4), d=st.integers(0, 3))
def test_cells_are_floors_of_projections(seed, levels, k, d):
    x, directions, offsets = quarters(seed, (6, d)), quarters(seed + 1, (k, d)), quarters(seed + 2, (k,))
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


# Trees ------------------------------------------------------------------------------------------------


def test_to_the_nearest_child_at_every_node():
    points = np.array([[-1.0], [1.0], [-3.0], [-0.1], [0.1], [3.0]])
    x = np.array([[-5.0], [-1.5], [0.0], [0.2], [5.0]])
    # 0 is as far from both children of the root; then -0.1 is nearer than -3.
    assert ops.nearest_in_tree(x, points, arity=2).tolist() == [0, 1, 1, 2, 3]


def test_one_level_of_points_is_the_nearest_prototype():
    x, points = quarters(0, (50, 3)), quarters(1, (7, 3))
    np.testing.assert_array_equal(ops.nearest_in_tree(x, points, arity=7), ops.nearest_prototype(x, points))


@given(seed=SEEDS, arity=st.integers(2, 4), depth=st.integers(0, 3), d=st.integers(0, 3))
def test_a_tree_of_points_asks_level_by_level(seed, arity, depth, d):
    points = quarters(seed, (sum(arity**level for level in range(1, depth + 1)), d))
    x = quarters(seed + 1, (6, d))
    for row, got in zip(x, ops.nearest_in_tree(x, points, arity=arity), strict=True):
        leaf, first = 0, 0
        for level in range(depth):
            children = points[first + arity * leaf :][:arity]
            leaf = arity * leaf + int(np.argmin(((row - children) ** 2).sum(axis=1)))
            first += arity ** (level + 1)
        assert got == leaf


def test_chunks_of_rows_change_nothing(monkeypatch):
    x, points, normals = quarters(0, (9, 3)), quarters(1, (14, 3)), quarters(2, (7, 3))

    def results():
        with backends.use("steady"):
            return (
                ops.nearest_in_tree(x, points, arity=2),
                ops.oblique_tree_route(x, normals, normals[:, 0]),
                *(part for _, part in PRIMITIVES["nearest_in_tree"].touched(x, points, arity=2)),
                *(part for _, part in PRIMITIVES["oblique_tree_route"].touched(x, normals, normals[:, 0])),
            )

    whole = results()
    monkeypatch.setattr(prototype, "_CHUNK", 1)
    monkeypatch.setattr(descent, "_CHUNK", 1)
    for got, want in zip(results(), whole, strict=True):
        np.testing.assert_array_equal(got, want)


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
    x, edges = quarters(seed, (20, 3)), np.sort(quarters(seed + 1, 2**depth - 1))
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
    for call in (ops.axis_tree_route, PRIMITIVES["axis_tree_route"].reference):
        with pytest.raises(IndexError, match=r"^axis_tree_route: an index is outside \[0, 2\)$"):
            call(x, np.array(features), thresholds)


# Gates ------------------------------------------------------------------------------------------------


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
    x, weights = quarters(seed, (6, d)), quarters(seed + 1, (5, d))
    bias = quarters(seed + 2, 5) if shifted else None
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


# All of them ------------------------------------------------------------------------------------------

X, W, V = quarters(0, (9, 3)), quarters(1, (7, 3)), quarters(2, 7)
CALLS = {
    "axis_tree_route": lambda x: ops.axis_tree_route(x, NODES, V[:3].astype(x.dtype)),
    "nearest_in_tree": lambda x: ops.nearest_in_tree(x, W[:6].astype(x.dtype), arity=2),
    "oblique_tree_route": lambda x: ops.oblique_tree_route(x, W.astype(x.dtype), V.astype(x.dtype)),
    "pstable_hash": lambda x: ops.pstable_hash(x, W.astype(x.dtype), V.astype(x.dtype), levels=4),
    "searchsorted_route": lambda x: ops.searchsorted_route(x, np.sort(V).astype(x.dtype)),
    "top_k_gate experts": lambda x: ops.top_k_gate(x, W.astype(x.dtype), V.astype(x.dtype), k=3)[0],
    "top_k_gate gates": lambda x: ops.top_k_gate(x, W.astype(x.dtype), V.astype(x.dtype), k=3)[1],
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_row_does_not_see_its_neighbours(call, dtype):
    x = random(3, (1037, 3), dtype)

    def steadily(rows):
        with backends.use("steady"):
            return call(rows)

    check_rows(steadily, x)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_no_rows(call):
    assert len(call(X[:0])) == 0
    assert call(X[:0]).dtype == call(X).dtype


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_layouts_change_nothing(call):
    want = call(X)
    for x in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1].copy()[::-1]):
        np.testing.assert_array_equal(call(x), want)


T = V[:3]
WRONG = [
    (TypeError, "axis_tree_route", (X + 1j, NODES, T), {}),
    (TypeError, "axis_tree_route", (X, NODES * 1.0, T), {}),
    (ValueError, "axis_tree_route", (X[0], NODES, T), {}),
    (ValueError, "axis_tree_route", (X, NODES[:2], T[:2]), {}),
    (ValueError, "axis_tree_route", (X, NODES[:1], T), {}),
    (ValueError, "axis_tree_route", (X, NODES[:, None], T[:, None]), {}),
    (ValueError, "axis_tree_route", (X, NODES[0], T[0]), {}),
    (TypeError, "nearest_in_tree", (X + 1j, W[:6]), {"arity": 2}),
    (TypeError, "nearest_in_tree", (X > 0, W[:6]), {"arity": 2}),
    (ValueError, "nearest_in_tree", (X, W), {"arity": 2}),
    (ValueError, "nearest_in_tree", (X, W[:1]), {"arity": 2**64}),
    (ValueError, "nearest_in_tree", (X, W[:6]), {"arity": 1}),
    (ValueError, "nearest_in_tree", (X, W[:6, 1:]), {"arity": 2}),
    (ValueError, "nearest_in_tree", (X[0], W[:6]), {"arity": 2}),
    (TypeError, "oblique_tree_route", (X, W[:3] + 1j, T), {}),
    (ValueError, "oblique_tree_route", (X, W[:3, 1:], T), {}),
    (ValueError, "oblique_tree_route", (X, W[:3], T[:1]), {}),
    (ValueError, "oblique_tree_route", (X, W[:2], T[:2]), {}),
    (ValueError, "oblique_tree_route", (X[0], W[:3], T), {}),
    (TypeError, "pstable_hash", (X, W > 0, V), {"levels": 2}),
    (ValueError, "pstable_hash", (X[0], W, V), {"levels": 2}),
    (ValueError, "pstable_hash", (X, W, T), {"levels": 2}),
    (ValueError, "pstable_hash", (X, W[:, 1:], V), {"levels": 2}),
    (ValueError, "pstable_hash", (X, W[:0], V[:0]), {"levels": 2}),
    (TypeError, "searchsorted_route", (X, V + 1j), {}),
    (TypeError, "searchsorted_route", (X > 0, V), {}),
    (ValueError, "searchsorted_route", (X, W), {}),
    (TypeError, "top_k_gate", (X, NODES[None]), {"k": 1}),
    (ValueError, "top_k_gate", (X, W), {"k": 8}),
    (ValueError, "top_k_gate", (X, W), {"k": 0}),
    (ValueError, "top_k_gate", (X, W[:0]), {"k": 1}),
    (ValueError, "top_k_gate", (X, W[:, 1:]), {"k": 1}),
    (ValueError, "top_k_gate", (X[0], W), {"k": 1}),
    (ValueError, "top_k_gate", (X, W, T), {"k": 1}),
]


@pytest.mark.parametrize(("error", "name", "arguments", "keywords"), WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, name, arguments, keywords):
    its = PRIMITIVES[name]
    for call in (its, its.steady, its.reference, its.cost):
        with pytest.raises(error, match=rf"^{name}: ") as caught:
            call(*arguments, **keywords)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted({name for _, name, _, _ in WRONG}))
def test_all_faces_have_one_signature(name):
    its = PRIMITIVES[name]
    signatures = [inspect.signature(face) for face in (its.reference, its.steady, its.cost, its.elements)]
    shapes = [[(p.name, p.kind, p.default) for p in one.parameters.values()] for one in signatures]
    assert all(one == other for one, other in itertools.pairwise(shapes))
