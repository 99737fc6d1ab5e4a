"""What enters every task: trees answer as scikit-learn's do, lists of neighbours as brute force does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from complete_trees import Nodes, complete, descend, rounded_down, stacked
from neighbour_lists import Box, grow, neighbour_lists
from sparsebench.tasks import TaskInfo
from submissions.formulas import expected
from submissions.shipped import columns, make, metered, module, split
from submissions.sizes import Sizes


def info(metric, width, classes=None):
    return TaskInfo("any@1", metric, (width,), "float32" if classes is None else "int64", classes)


REAL, RECALL = info("nmse", 3), info("recall", 3)


def smooth(n, seed, d=3, classes=None):
    """Inputs on a grid of 64ths, so that some numbers are equal, and labels that depend on them."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-64, 64, (n, d)) / 64
    y = np.sin(3 * x[:, 0]) + x.prod(axis=1)
    return split(x, y if classes is None else np.digitize(y, np.linspace(-1, 1, classes - 1)))


def fitted(name, task, samples, /, **chosen):
    model = make(name, task, **chosen)
    return model, model.fit(samples, samples, np.random.default_rng(0))


# Trees ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 3, 9, 16])
@pytest.mark.parametrize("classes", [None, 5])
def test_cart_answers_as_scikit_learns_tree_does(depth, classes):
    train, unseen = smooth(600, 0, classes=classes), smooth(400, 1)
    model, params = fitted("cart", info("nmse", 3, classes), train, depth=depth)
    kind = DecisionTreeRegressor if classes is None else DecisionTreeClassifier
    seed = int(np.random.default_rng(0).integers(2**31))
    theirs = kind(max_depth=16, max_features=3, random_state=seed).fit(train.x, train.y)
    node = np.zeros(len(unseen.x), dtype=np.int64)
    for _ in range(depth):  # a tree of fewer levels is the top of a deeper one
        tree = theirs.tree_
        goes_on = tree.children_left[node] >= 0
        left = unseen.x[np.arange(len(node)), np.maximum(tree.feature[node], 0)] <= tree.threshold[node]
        node = np.where(goes_on, np.where(left, tree.children_left[node], tree.children_right[node]), node)
    value = tree.value[node, 0]
    told = value[:, 0] if classes is None else theirs.classes_[value.argmax(axis=1)]
    np.testing.assert_array_equal(model.predict(params, unseen.x), told)
    if depth >= theirs.tree_.max_depth:
        np.testing.assert_array_equal(told, theirs.predict(unseen.x))


def test_a_leaf_of_cart_holds_one_of_its_labels_where_they_are_to_be_recalled():
    train = smooth(300, 0)
    labels = np.random.default_rng(0).uniform(-1, 1, 300)
    train = split(train.x, labels)
    model, params = fitted("cart", RECALL, train, depth=5)
    told = model.predict(params, train.x)
    leaves = len(np.unique(told))
    assert set(told) <= set(train.y.astype(np.float64))
    assert np.sum(told == train.y) == leaves
    assert leaves > 16


@pytest.mark.parametrize("d", [3, 120])  # of 120 features a split tries some
@pytest.mark.parametrize("classes", [None, 2, 4])
def test_gradient_boosting_answers_as_scikit_learns_does(classes, d):
    train, unseen = smooth(900, 0, d, classes=classes), smooth(400, 1, d)
    task = info("nmse" if classes is None else "accuracy", d, classes)
    model, params = fitted("gradient-boosting", task, train, trees=12, depth=3)
    shipped = module("gradient-boosting")
    rng = np.random.default_rng(0)
    x, y = shipped.some_of(train, classes, rng)
    seed = int(rng.integers(2**31))
    kind = HistGradientBoostingRegressor if classes is None else HistGradientBoostingClassifier
    theirs = [
        kind(
            max_iter=12 // (classes if classes == 4 else 1),
            max_depth=3,
            max_leaf_nodes=None,
            **shipped.limits(d),
            learning_rate=rate,
            early_stopping=False,
            random_state=seed,
        )
        .fit(x, y)
        .predict(unseen.x)
        for rate in shipped.RATES
    ]
    told = model.predict(params, unseen.x)
    if classes is None:
        assert min(np.max(np.abs(told - one)) for one in theirs) < 1e-12
    else:
        assert any(np.array_equal(told, one) for one in theirs)


def test_a_class_without_samples_is_no_trouble_for_boosting():
    train = smooth(200, 0, classes=4)
    some = split(train.x[train.y != 2], train.y[train.y != 2])
    model, params = fitted("gradient-boosting", info("accuracy", 3, 4), some, trees=8, depth=2)
    assert np.mean(model.predict(params, some.x) == some.y) > 0.8


def test_wide_inputs_are_boosted_by_some_features_of_each_split():
    rng = np.random.default_rng(0)
    x = 1e-3 * rng.standard_normal((400, 120))
    x[:, 100] = rng.standard_normal(400)
    rows = split(x, (x[:, 100] > 0.3).astype(int))
    model, params = fitted("gradient-boosting", info("accuracy", 120, 2), rows, trees=4, depth=2)
    assert 100 in params["features_0"]
    assert np.mean(model.predict(params, rows.x) == rows.y) > 0.98


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=30))
def test_thresholds_rounded_down_decide_alike_for_float32(numbers):
    exact = np.array(numbers)
    near = rounded_down(exact)
    assert np.all(near.astype(np.float64) <= exact)
    for x in (near, np.nextafter(near, np.float32(np.inf)), exact.astype(np.float32)):
        np.testing.assert_array_equal(x > near, x.astype(np.float64) > exact)


@given(data=st.data(), depth=st.integers(1, 4), trees=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_trees_side_by_side_are_descended_as_each_alone_is(data, depth, trees):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    x = rng.uniform(-1, 1, (20, 3)).astype(np.float32)
    grown = [random_tree(rng, depth) for _ in range(trees)]
    filled = [complete(tree, depth) for tree in grown]
    told = descend(stacked(filled, [tree.leaves for tree in filled]), x)
    for number, tree in enumerate(grown):
        np.testing.assert_array_equal(told[:, number], [walk(tree, row) for row in x])


def random_tree(rng, depth):
    """Make a ragged tree: a node above the last level is a leaf by chance."""
    feature, threshold, left, right, leaf = [], [], [], [], []

    def node(level):
        own = len(feature)
        for column, value in zip(
            (feature, threshold, left, right, leaf), (0, 0.0, -1, -1, True), strict=True
        ):
            column.append(value)
        if level < depth and rng.uniform() < 0.8:
            feature[own], threshold[own], leaf[own] = int(rng.integers(3)), rng.uniform(-1, 1), False
            left[own] = node(level + 1)
            right[own] = node(level + 1)
        return own

    node(0)
    return Nodes(*map(np.array, (feature, threshold, left, right, leaf)))


def walk(tree, x):
    node = 0
    while not tree.is_leaf[node]:
        right = x[tree.feature[node]] > tree.threshold[node]
        node = (tree.right if right else tree.left)[node]
    return node


# Neighbours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("neighbours", [1, 5])
def test_a_search_by_lists_finds_what_brute_force_finds(d, neighbours):
    """In few dimensions 240 samples are enough for nearly every input, and it is known for which they are."""
    train, unseen = smooth(1500, 0, d), np.random.default_rng(1).uniform(-1, 1, (800, d)).astype(np.float32)
    tree, params = fitted("k-nn", info("nmse", d), train, neighbours=neighbours)
    x = unseen.astype(np.float64)
    _, near = tree._search(params, x, np.sum(x * x, axis=1))
    found = np.sort(squares(x[:, None], params["twice"][near] / 2.0), axis=1)
    brute = np.sort(squares(x[:, None], train.x[None].astype(np.float64)), axis=1)[:, :neighbours]
    leaf = module("k-nn").ops.axis_tree_route(unseen, params["features"], params["thresholds"])
    sure = found[:, -1] <= params["bound_1"][leaf]
    assert np.mean(sure) > 0.9
    np.testing.assert_allclose(found[sure], brute[sure], rtol=1e-9, atol=1e-12)


def squares(x, y):
    return np.sum((x - y) ** 2, axis=-1)


@given(n=st.integers(20, 200), d=st.integers(1, 4), seed=st.integers(0, 99), few=st.booleans())
@settings(max_examples=30, deadline=None)
def test_bounds_hold_for_every_input_in_a_leafs_box(n, d, seed, few):
    rng = np.random.default_rng(seed)
    points = (rng.integers(-1, 2, (n, d)) if few else rng.normal(size=(n, d))).astype(np.float32)
    depth, ends = 3, (4, 16)
    tree = grow(points, depth)
    found = list(neighbour_lists(points, tree, ends))
    inputs = rng.normal(size=(60, d)).astype(np.float32)
    leaf = module("k-nn").ops.axis_tree_route(inputs, tree.features, tree.thresholds)
    for x, own in zip(inputs, leaf, strict=True):
        rows, bounds = found[own]
        assert len(set(rows)) == len(rows) == ends[-1]
        squares = np.sum((points.astype(np.float64) - x) ** 2, axis=1)
        for end, bound in zip(ends, bounds, strict=True):
            others = np.setdiff1d(np.arange(n), rows[:end])
            assert squares[others].min(initial=np.inf) >= bound * (1 - 1e-12)


def test_the_distance_from_a_box_is_that_of_its_nearest_point():
    box = Box({}, {}).cut(0, 0.5)[0].cut(1, -1.0)[1].cut(0, 0.0)[1]  # 0 < x0 <= 0.5, -1 < x1
    points = np.array([[0.25, 3.0], [1.5, 0.0], [-3.0, -5.0], [0.5, -1.0]])
    np.testing.assert_allclose(box.squares(points), [0.0, 1.0, 25.0, 0.0])


@pytest.mark.parametrize("neighbours", [1, 5])
def test_the_vote_is_scikit_learns(neighbours):
    rng = np.random.default_rng(0)
    train = split(rng.normal(size=(500, 4)), rng.integers(0, 3, 500))
    unseen = rng.normal(size=(300, 4)).astype(np.float32)
    model, params = fitted("k-nn", info("accuracy", 4, 3), train, neighbours=neighbours, rows=500)
    theirs = KNeighborsClassifier(neighbours).fit(train.x, train.y)
    np.testing.assert_array_equal(model.predict(params, unseen), theirs.predict(unseen))


def test_means_are_weighted_by_one_over_the_squared_distance():
    x = np.array([[0.0], [1.0], [3.0], [50.0]])
    train = split(x, [1.0, 2.0, 4.0, 9.0])
    model, params = fitted("k-nn", info("nmse", 1), train, neighbours=3, rows=4)
    told = model.predict(params, np.array([[2.0]], np.float32))
    np.testing.assert_allclose(told, (1 / 4 * 1 + 2 + 4) / (1 / 4 + 1 + 1))


@pytest.mark.parametrize("classes", [None, 10])
def test_stored_samples_are_recalled_also_where_they_are_close(classes):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2000, 4))
    x[1::2] = x[::2] + 1e-4 * rng.standard_normal((1000, 4))
    train = split(x, rng.uniform(-1, 1, 2000) if classes is None else rng.integers(0, 10, 2000))
    model, params = fitted("k-nn", info("recall", 4, classes), train, neighbours=5)
    run = metered(model, params, train.x[:500])
    np.testing.assert_array_equal(run.answers, train.y[:500])
    whole = 2000 * 8
    assert columns(run)["ops"] / 500 < whole / 20


def test_a_search_costs_what_its_formula_says_for_every_input():
    train, unseen = smooth(700, 3), smooth(150, 4)
    model, params = fitted("k-nn", REAL, train, neighbours=5)
    apart = [
        expected("k-nn", {"neighbours": 5, "most": 240}, Sizes(700, 3), params, x)["ops"] for x in unseen.x
    ]
    assert columns(metered(model, params, unseen.x))["ops"] == sum(apart)
    assert max(apart) > 1.5 * min(apart), "the input decides"


@given(width=st.integers(1, 3000), classes=st.integers(0, 200))
def test_as_many_samples_are_stored_as_memory_holds(width, classes):
    many = module("k-nn").fitting(width, max(classes, 8))
    each = 4 * width + 8 + max(classes, 8) + 240 * 4 // 8 + (4 + 4 + 3 * 8) // 8 + 8
    assert many * each <= 16 * 2**20


# Prototypes -------------------------------------------------------------------------------------------------


def test_linear_scores_in_a_cell_tell_what_no_single_map_does():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (3000, 2))
    rows = split(x, (x[:, 0] * x[:, 1] > 0).astype(int))
    right = []
    for prototypes in (1, 32):
        model, params = fitted("nearest-prototype", info("accuracy", 2, 2), rows, prototypes=prototypes)
        right.append(np.mean(model.predict(params, rows.x) == rows.y))
    assert right[0] < 0.6
    assert right[1] > 0.93


def test_a_prototype_recalls_a_label_of_its_cell():
    rng = np.random.default_rng(1)
    train = split(rng.uniform(-1, 1, (400, 3)), rng.uniform(-1, 1, 400))
    model, params = fitted("nearest-prototype", RECALL, train, prototypes=50)
    told = model.predict(params, train.x)
    assert told.dtype == train.y.dtype
    assert np.sum(told == train.y) >= 50


def test_classes_are_recalled_by_scores_within_a_cell():
    """Pairs of inputs of opposite classes lie side by side: a label recalls half of them."""
    rng = np.random.default_rng(1)
    middle, away = rng.uniform(-1, 1, (40, 8)), 1e-3 * rng.standard_normal((40, 8))
    train = split(np.concatenate([middle + away, middle - away]), np.repeat([0, 1], 40))
    model, params = fitted("nearest-prototype", info("recall", 8, 2), train, prototypes=40)
    assert np.mean(model.predict(params, train.x) == train.y) > 0.95


@given(n=st.integers(1, 60), many=st.integers(1, 20), d=st.integers(1, 6), seed=st.integers(0, 99))
def test_the_largest_closeness_is_that_of_the_nearest_prototype(n, many, d, seed):
    rng = np.random.default_rng(seed)
    train = split(rng.normal(size=(many, d)), np.zeros(many))
    model, params = fitted("nearest-prototype", RECALL, train, prototypes=many)
    x = rng.normal(size=(n, d)).astype(np.float32)
    nearest = module("nearest-prototype").ops.nearest_prototype(x, params["twice"] / 2)
    np.testing.assert_array_equal(model.router.route(params, x).experts[:, 0], nearest)
