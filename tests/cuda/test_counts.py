"""What the primitives charge is what a scalar program does, counted operation by operation."""

from __future__ import annotations

import numpy as np
import pytest
import shim
from counting import charged, counted, device
from faces import quarters, reference, same

from sparsebench import ops

pytestmark = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))

FILE = "scalar_routing.cu"


def run(kernel, n, *args, sizes=(), shape=None, extra=()):
    """Run a counting kernel of float32; give its integers and its counts."""
    on = device()
    out = on.empty((n,) if shape is None else shape, np.int64)
    lengths = [size if isinstance(size, np.generic) else np.int32(size) for size in sizes]
    counts = counted(
        on,
        FILE,
        f"scalar_{kernel}<float>",
        n,
        lambda totals: (*args, out, *extra, totals, np.int64(n), *lengths),
    )
    return out, counts


def agree(primitive, found, *args, **kwargs):
    """Compare results and counts with a primitive's."""
    out, counts = found
    same(out, reference(primitive, *args, **kwargs))
    assert counts == charged(primitive.cost(*args, **kwargs))


@pytest.mark.parametrize(("n", "d", "tables", "k"), [(200, 9, 3, 5), (1, 1, 1, 1)])
def test_hashes(n, d, tables, k):
    rng = np.random.default_rng(0)
    x, vectors, offsets = quarters(rng, (n, d)), quarters(rng, (tables, k, d)), quarters(rng, (tables, k))
    found = run("hyperplane_hash", n, x, vectors, offsets, sizes=(d, tables, k), shape=(n, tables))
    agree(ops.hyperplane_hash, found, x, vectors, offsets)
    for levels in (1, 2, 5, 8):
        sizes = (d, tables, k, np.int64(levels))
        found = run("pstable_hash", n, x, vectors, offsets, sizes=sizes, shape=(n, tables))
        agree(ops.pstable_hash, found, x, vectors, offsets, levels=levels)


@pytest.mark.parametrize(("n", "many", "d"), [(150, 7, 6), (3, 1, 4)])
def test_nearest_prototype(n, many, d):
    rng = np.random.default_rng(1)
    x, points = quarters(rng, (n, d)), quarters(rng, (many, d))
    agree(ops.nearest_prototype, run("nearest_prototype", n, x, points, sizes=(many, d)), x, points)


@pytest.mark.parametrize(("arity", "depth"), [(2, 4), (5, 2), (3, 0)])
def test_nearest_in_tree(arity, depth):
    rng = np.random.default_rng(2)
    x = quarters(rng, (140, 3))
    points = quarters(rng, (sum(arity**level for level in range(1, depth + 1)), 3))
    found = run("nearest_in_tree", 140, x, points, sizes=(3, arity, depth))
    agree(ops.nearest_in_tree, found, x, points, arity=arity)


@pytest.mark.parametrize("depth", [0, 1, 6])
def test_trees(depth):
    rng = np.random.default_rng(depth)
    nodes, d = 2**depth - 1, 5
    x, thresholds, normals = quarters(rng, (300, d)), quarters(rng, nodes), quarters(rng, (nodes, d))
    key, features = np.ascontiguousarray(x[:, 0]), rng.integers(0, d, size=nodes)
    agree(ops.tree_route, run("tree_route", 300, key, thresholds, sizes=(depth,)), key, thresholds)
    found = run("axis_tree_route", 300, x, features, thresholds, sizes=(d, depth))
    agree(ops.axis_tree_route, found, x, features, thresholds)
    found = run("oblique_tree_route", 300, x, normals, thresholds, sizes=(d, depth))
    agree(ops.oblique_tree_route, found, x, normals, thresholds)


@pytest.mark.parametrize("m", [0, 1, 2, 3, 63, 64, 100])
def test_searchsorted_route(m):
    rng = np.random.default_rng(m)
    x, edges = quarters(rng, 200, limit=60), np.sort(quarters(rng, m, limit=60))
    found = run("searchsorted_route", 200, x, edges, sizes=(np.int64(m),))
    agree(ops.searchsorted_route, found, x, edges)


@pytest.mark.parametrize(("many", "k"), [(1, 1), (8, 1), (8, 3), (64, 64)])
@pytest.mark.parametrize("biased", [False, True])
def test_top_k_gate(many, k, biased):
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
        FILE,
        "scalar_top_k_gate<float>",
        n,
        lambda totals: (x, weights, bias, experts, gates, totals, logits, matches, *lengths),
    )
    expected, expected_gates = reference(ops.top_k_gate, x, weights, bias, k=k)
    same(experts, expected)
    np.testing.assert_allclose(gates, expected_gates, rtol=1e-5)
    assert counts == charged(ops.top_k_gate.cost(x, weights, bias, k=k))
