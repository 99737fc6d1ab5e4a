"""The ragged tree: scikit-learn's answers, prices of walks, and the best subtree."""

from __future__ import annotations

import itertools
from math import ceil, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from pruned_trees import (
    Tree,
    exit_levels,
    grown,
    halved,
    leaf_values,
    losses,
    passes,
    prune,
    reached,
    walk_price,
)
from sparsebench.tasks import TaskInfo
from submissions.formulas import expected
from submissions.shipped import columns, make, metered, module, split
from submissions.sizes import Sizes

REAL = TaskInfo("lipschitz-regression@1", "nmse", (2,), "float32")
CLASSES = TaskInfo("routed-classification@1", "accuracy", (2,), "int64", 3)
RECALL = TaskInfo("memorization@1", "recall", (2,), "float32")
TASKS = {"real": REAL, "classes": CLASSES, "recall": RECALL}


def data(kind, n, seed):
    """Constant on three quarters of the square, and rough on the rest; or without any rule."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    rough = np.where((x > 0).all(axis=1), np.sin(7 * x[:, 0]) * np.sin(7 * x[:, 1]), 0.0)
    if kind == "recall":
        return split(x, rng.uniform(-1, 1, n))
    return split(x, rough if kind == "real" else 1 + np.sign(rough).astype(np.int64))


def wood_of(kind, n=500):
    return module("ragged-tree").Wood.of(
        TASKS[kind], data(kind, n, 0), data(kind, 300, 1), np.random.default_rng(0)
    )


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("kind", ["real", "classes"])
def test_a_tree_that_is_not_cut_back_answers_as_scikit_learn_does(kind, padded):
    wood, train, test = wood_of(kind), data(kind, 500, 0), data(kind, 400, 2)
    cut = wood.cut(wood.tree.left >= 0, padded=padded)
    params = module("ragged-tree").laid_out(wood.tree, cut, wood.values)
    assert ("levels-1" in params) is not padded
    theirs = (DecisionTreeRegressor if kind == "real" else DecisionTreeClassifier)(
        max_depth=16,
        min_samples_leaf=2,
        random_state=int(np.random.default_rng(0).integers(2**31)),
        max_features=2,
    ).fit(train.x, train.y)
    told = make("ragged-tree", TASKS[kind], budget=0).predict(params, test.x)
    np.testing.assert_allclose(told, theirs.predict(test.x), rtol=1e-6, atol=1e-7)
    leaf = passes(wood.tree, test.x)
    deepest = np.zeros(len(test), dtype=int)
    deepest[leaf.rows] = leaf.nodes
    np.testing.assert_array_equal(deepest, theirs.apply(test.x))


@pytest.mark.parametrize("kind", TASKS)
def test_inputs_cost_the_depth_of_their_leaf_and_on_average_no_more_than_the_budget(kind):
    train = data(kind, 500, 0)
    for budget, padded in itertools.product((20, 40, 80), (False, True)):
        model = make("ragged-tree", TASKS[kind], budget=budget, padded=padded)
        params = model.fit(train, data(kind, 300, 1), np.random.default_rng(0))
        sizes = Sizes(500, 2, TASKS[kind].classes or 0)
        ops = np.array([expected("ragged-tree", {}, sizes, params, x)["ops"] for x in train.x])
        assert ops.mean() <= budget + 1e-9
        if padded:
            assert np.ptp(ops) == 0
        elif kind != "recall":
            assert np.quantile(ops, 0.95) > ops.mean()


@pytest.mark.parametrize("padded", [False, True])
def test_the_price_of_a_walk_is_what_the_formula_counts_on_average(padded):
    wood, train = wood_of("real"), data("real", 500, 0)
    cuts = wood.cuts(padded=padded)[::9]
    assert len({cut.levels for cut in cuts}) > 3
    for cut in cuts:
        params = module("ragged-tree").laid_out(wood.tree, cut, wood.values)
        ops = [expected("ragged-tree", {}, Sizes(500, 2), params, x)["ops"] for x in train.x]
        assert np.mean(ops) == pytest.approx(cut.price + 1)  # the look-up of the constant besides


def test_a_walk_costs_the_same_whoever_walks_beside():
    train = data("real", 500, 0)
    model = make("ragged-tree", REAL, budget=60)
    params = model.fit(train, data("real", 300, 1), np.random.default_rng(0))
    assert "levels-1" in params
    x = data("real", 32, 3).x
    together, apart = metered(model, params, x), [metered(model, params, row[None]) for row in x]
    assert len({columns(own)["ops"] for own in apart}) > 1
    assert sum(columns(own)["ops"] for own in apart) == columns(together)["ops"]
    np.testing.assert_array_equal([own.answers[0] for own in apart], together.answers)


def test_affine_leaves_fit_affine_functions():
    x = np.random.default_rng(0).uniform(-1, 1, (800, 2)).astype(np.float32)
    train = split(x, np.where(x[:, 0] > 0, x[:, 1], 3 - 2 * x[:, 0]))
    model = make("ragged-tree", REAL, budget=24)
    params = model.fit(train, train, np.random.default_rng(0))
    assert "slopes" in params
    assert np.mean((model.predict(params, x) - train.y) ** 2) < 1e-3 * np.var(train.y)


def random_tree(rng, depth):
    """A tree with random leaves above a depth."""
    left, right, depths, level = [], [], [], [0]
    for at in range(depth + 1):
        below, first = [], len(left) + len(level)
        for _ in level:
            inner = at < depth and (at == 0 or rng.random() < 0.7)
            left.append(first + len(below) if inner else -1)
            right.append(first + len(below) + 1 if inner else -1)
            depths.append(at)
            below += [0, 0] if inner else []
        level = below
    size = len(left)
    return Tree(np.zeros(size, int), np.zeros(size), np.array(left), np.array(right), np.array(depths))


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.floats(0, 2), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_pruning_finds_the_subtree_of_least_loss_and_price(seed, depth, price, limit):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, depth)
    loss, many = rng.uniform(0, 5, len(tree.left)), rng.integers(1, 4, len(tree.left))

    def cost(inner):
        leaf = reached(tree, inner) & ~inner
        return loss[leaf].sum() + price * many[inner & reached(tree, inner)].sum()

    able = np.flatnonzero((tree.left >= 0) & (tree.depths < limit))
    found = prune(tree, loss, many, price, limit)
    assert not found[np.setdiff1d(np.arange(len(found)), able)].any()
    assert (found <= reached(tree, found)).all()
    best = np.inf
    for kept in itertools.product((False, True), repeat=len(able)):
        inner = np.zeros(len(loss), dtype=bool)
        inner[able] = kept
        best = min(best, cost(inner & reached(tree, inner)))
    assert cost(found) == pytest.approx(best)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=6))
def test_exits_lie_where_the_walk_is_cheapest(falls):
    on = [1.0, *np.cumprod(falls).tolist(), 0.0]
    deepest = len(on) - 1
    levels = exit_levels(on)
    ways = [
        (*early, deepest)
        for many in range(1, deepest)
        for early in itertools.combinations(range(1, deepest), many)
    ]
    assert levels in ways
    assert walk_price(levels, on) == pytest.approx(min(walk_price(way, on) for way in ways))


def test_a_balanced_tree_has_one_exit():
    assert exit_levels([1.0, 1.0, 1.0, 0.0]) == (3,)
    assert exit_levels([0.0]) == (0,)
    assert walk_price((0,), [0.0]) == 0
    assert walk_price((3,), [1.0, 1.0, 1.0, 0.0]) == 11


@pytest.mark.parametrize("n", [1, 2, 3, 100, 257])
def test_halving_gives_every_point_a_leaf_of_its_own_at_equal_depth(n):
    x = np.random.default_rng(n).uniform(-1, 1, (n, 3)).astype(np.float32)
    tree = halved(x, depth=16)
    leaf = np.zeros(n, dtype=int)
    ways = passes(tree, x)
    leaf[ways.rows] = ways.nodes
    assert len(np.unique(leaf)) == n
    assert tree.depths.max() == ceil(log2(n))
    assert set(tree.depths[leaf]) <= {ceil(log2(n)) - 1, ceil(log2(n))}


def test_points_that_are_equal_stay_together():
    tree = halved(np.ones((5, 2), np.float32), depth=16)
    assert len(tree.left) == 1


@pytest.mark.parametrize(("kind", "recall"), [("real", False), ("real", True), ("classes", False)])
def test_values_and_losses_of_nodes_are_those_of_their_samples(kind, recall):
    rows = data(kind, 120, 0)
    classes = TASKS[kind].classes
    tree = grown(rows.x, rows.y, classes, depth=5, rng=np.random.default_rng(0))
    ways = passes(tree, rows.x)
    values = leaf_values(ways, rows.y, len(tree.left), classes, recall=recall)
    lost = losses(ways, rows.y, values, squared=kind == "real" and not recall)
    for node in range(len(tree.left)):
        own = rows.y[ways.rows[ways.nodes == node]]
        if classes is not None:
            assert values[node] == np.argmax(np.bincount(own, minlength=classes))
        else:
            assert values[node] == pytest.approx(own[0] if recall else own.mean(), rel=1e-5, abs=1e-6)
        wrong = own != values[node] if classes is not None or recall else (own - values[node]) ** 2
        assert lost[node] == pytest.approx(wrong.sum(), rel=1e-5, abs=1e-6)
