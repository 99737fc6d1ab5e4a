"""The mathematics of the memorizing submissions: tree, hidden layer, constant."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.tasks import TaskInfo, load_task
from submissions.formulas import expected
from submissions.shipped import columns, make, metered, module, split
from submissions.sizes import Sizes

RECALL = TaskInfo("memorization@1", "recall", (4,), "float32")


def recall(answers, y):
    return np.mean(np.abs(answers - y) <= 1e-6 * np.maximum(1, np.abs(y)))


def points(n, seed, r=4):
    rng = np.random.default_rng(seed)
    return split(rng.uniform(-1, 1, (n, r)), rng.uniform(-1, 1, n))


@pytest.mark.parametrize("name", ["n256-r4", "n4096-r4", "n65536-r4"])
def test_the_tree_recalls_every_label_of_every_instance(name):
    train = load_task("memorization@1").load(name).train
    tree = make("conditional-tree", RECALL)
    params = tree.fit(train, train, np.random.default_rng(0))
    np.testing.assert_array_equal(tree.predict(params, train.x), train.y)


@given(n=st.integers(1, 200), share=st.integers(1, 9), r=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_tree_of_any_number_of_points_costs_its_formula_and_recalls_a_label_per_leaf(n, share, r, seed):
    train = points(n, seed, r)
    tree = make("conditional-tree", RECALL, share=share)
    run = metered(tree, tree.fit(train, train, np.random.default_rng(seed)), train.x)
    counted, by_hand = columns(run), expected("conditional-tree", {"share": share}, Sizes(n, r))
    assert counted["ops"] == n * by_hand["ops"]
    assert counted["stored_parameters"] == by_hand["stored_parameters"]
    assert np.sum(run.answers == train.y) >= ceil(n / share)


@given(st.lists(st.floats(-100, 100), max_size=40, unique=True))
def test_breadth_first_order_sorts_back_to_the_edges(edges):
    edges = np.sort(edges)
    tree = module("conditional-tree").breadth_first(edges)
    finite = np.sort(tree)[: len(edges)]
    np.testing.assert_array_equal(finite, edges)
    assert np.all(np.isinf(np.sort(tree)[len(edges) :]))


@pytest.mark.parametrize("every", [1, 2, 3, 16])
def test_the_hidden_layer_is_the_piecewise_linear_interpolant(every):
    train = load_task("memorization@1").load("n256-r4").train
    layer = make("one-hidden-layer", RECALL, every=every)
    params = layer.fit(train, train, np.random.default_rng(0))
    t = train.x @ params["direction"]
    knots = np.argsort(t)[::every]
    anywhere = np.random.default_rng(1).uniform(-1, 1, (500, 4)).astype(np.float32)
    between = anywhere @ params["direction"]
    inside = (t[knots[0]] <= between) & (between <= t[knots[-1]])
    interpolated = np.interp(between, t[knots], train.y[knots].astype(np.float64))
    assert inside.sum() > 300
    np.testing.assert_allclose(layer.predict(params, anywhere)[inside], interpolated[inside], atol=1e-9)


@pytest.mark.parametrize(("name", "rows"), [("n256-r4", 256), ("n4096-r4", 512)])
def test_the_hidden_layer_recalls_every_label_where_float64_is_enough(name, rows):
    train = load_task("memorization@1").load(name).train
    layer = make("one-hidden-layer", RECALL)
    for seed in range(3):
        params = layer.fit(train, train, np.random.default_rng(seed))
        assert recall(layer.predict(params, train.x[:rows]), train.y[:rows]) == 1.0


def test_blocks_of_hidden_units_add_up_to_all_of_them():
    train = points(12_000, 0)
    layer = make("one-hidden-layer", RECALL)
    params = layer.fit(train, train, np.random.default_rng(0))
    x = train.x[:3]
    t = (x @ params["direction"])[:, None]
    whole = (
        params["intercept"]
        + np.maximum(params["left"] - t, 0) @ params["left_weights"]
        + np.maximum(t - params["right"], 0) @ params["right_weights"]
    )
    np.testing.assert_allclose(layer.predict(params, x), whole, atol=1e-6)
    counted = columns(metered(layer, params, x))["ops"]
    assert counted == 3 * (7 + 4 * 11_999)


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=30))
def test_no_other_constant_recalls_more(labels):
    y = np.array(labels) * 0.7e-6
    best = module("constant").most_recalled(y)
    tried = max(np.sum(np.abs(candidate - y) <= 1e-6) for candidate in np.linspace(-15e-6, 15e-6, 301))
    assert np.sum(np.abs(best - y) <= 1e-6 + 1e-15) >= tried


def test_the_constant_of_a_squared_error_is_the_mean():
    train = points(100, 3)
    constant = make("constant")
    params = constant.fit(train, train, np.random.default_rng(0))
    answers = constant.predict(params, train.x)
    np.testing.assert_allclose(answers, np.full(100, train.y.astype(np.float64).mean()))


def classes(n, seed, r=4, close=False):
    """Points with ten classes; close ones come in pairs that are 1e-4 apart."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, r))
    if close:
        away = rng.standard_normal((n // 2, r))
        x[1::2] = x[::2] + 1e-4 * away / np.linalg.norm(away, axis=1, keepdims=True)
    return split(x, rng.integers(0, 10, n))


@pytest.mark.parametrize(("n", "r", "close"), [(16, 2, False), (2000, 32, False), (2000, 4, True)])
@pytest.mark.parametrize("name", ["conditional-tree", "one-hidden-layer"])
def test_classes_are_recalled_as_classes(name, n, r, close):
    train = classes(n, 0, r, close=close)
    memory = make(name, TaskInfo("memorization@1", "recall", (r,), "int64", classes=10))
    told = metered(memory, memory.fit(train, train, np.random.default_rng(0)), train.x).answers
    assert told.dtype == np.int64
    np.testing.assert_array_equal(told, train.y)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_close_points_are_recalled(seed):
    train = points(4096, seed)
    train = split(classes(4096, seed, close=True).x, train.y)
    for name in ("conditional-tree", "one-hidden-layer"):
        memory = make(name, RECALL)
        params = memory.fit(train, train, np.random.default_rng(seed))
        assert recall(memory.predict(params, train.x[:500]), train.y[:500]) == 1.0


def test_to_round_to_a_class_costs_an_addition_and_the_bits_of_the_class():
    train = classes(50, 0)
    costs = []
    for known in (None, 10):
        layer = make("one-hidden-layer", TaskInfo("memorization@1", "recall", (4,), "int64", classes=known))
        params = layer.fit(train, train, np.random.default_rng(0))
        costs.append(columns(metered(layer, params, train.x[:1]))["ops"])
    assert costs[1] - costs[0] == 1 + 4 + 3  # an addition, comparisons, and the address of four bits


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40),
)
def test_a_shared_leaf_holds_its_most_frequent_class(pairs):
    leaf, labels = map(np.array, zip(*pairs, strict=True))
    leaf = np.unique(leaf, return_inverse=True)[1]  # every leaf has a point
    stored = module("conditional-tree").most_frequent(leaf, labels)
    counts = [np.bincount(labels[leaf == own]) for own in range(leaf.max() + 1)]
    np.testing.assert_array_equal(stored, [np.argmax(count) for count in counts])


@pytest.mark.parametrize("name", ["n256-r4", "n4096-r4"])
def test_two_hidden_layers_recall_every_label_with_about_four_roots_of_n_neurons(name):
    train = load_task("memorization@1").load(name).train
    network = make("two-hidden-layers", RECALL)
    for seed in range(2):
        params = network.fit(train, train, np.random.default_rng(seed))
        assert recall(network.predict(params, train.x), train.y) == 1.0
        neurons = len(params["knots"]) + len(params["biases"])
        assert neurons <= 5 * np.sqrt(len(train.y))


@given(n=st.integers(2, 120), every=st.integers(1, 5), r=st.integers(1, 5), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_two_hidden_layers_meet_every_kept_label_and_cost_their_formula(n, every, r, seed):
    train = points(n, seed, r)
    network = make("two-hidden-layers", RECALL, every=every)
    params = network.fit(train, train, np.random.default_rng(seed))
    run = metered(network, params, train.x)
    by_hand = expected("two-hidden-layers", {"every": every}, Sizes(n, r), params, train.x[0])
    assert columns(run)["ops"] == n * by_hand["ops"]
    kept = np.argsort(train.x @ params["direction"])[::every]
    np.testing.assert_allclose(run.answers[kept], train.y[kept], atol=1e-6)


@given(n=st.integers(3, 200), every=st.integers(1, 3), r=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_a_synthesis_on_a_line_is_its_parent_everywhere(n, every, r, seed):
    """The parent is the sum of n - 1 ReLUs, evaluated as it is written, in float64."""
    train = points(n, seed, r)
    tree = make("conditional-synthesis", RECALL, theorem="line", every=every)
    params = tree.fit(train, train, np.random.default_rng(seed))
    t = train.x @ params["direction"]
    knots = np.argsort(t)[::every]
    if len(knots) < 2:
        return
    at, y = t[knots], train.y[knots].astype(np.float64)
    slopes = np.diff(y) / np.diff(at)
    bends = np.diff(slopes, prepend=0.0)
    anywhere = np.random.default_rng(1).uniform(-1, 1, (50, r)).astype(np.float32)
    between = anywhere @ params["direction"]
    inside = (at[0] <= between) & (between <= at[-1])
    parent = y[0] + np.maximum(between[:, None] - at[:-1], 0.0) @ bends
    found = tree.predict(params, anywhere)
    scale = np.max(np.abs(y)) + np.max(np.abs(slopes)) * np.ptp(at)
    assert np.max(np.abs(found - parent)[inside], initial=0.0) <= 1e-12 * scale


def test_a_synthesis_of_a_set_is_its_parent_there_and_hardly_near_it():
    instance = load_task("lipschitz-regression@1").load("distance-2d")
    info = load_task("lipschitz-regression@1").info["distance-2d"]
    train = split(instance.train.x[:2048], instance.train.y[:2048])
    tree = make("conditional-synthesis", info, theorem="set", hidden=16)
    params = tree.fit(train, train, np.random.default_rng(0))
    shipped = module("conditional-synthesis")
    x = train.x.astype(np.float64)
    rng = np.random.default_rng(0)
    shipped.best_direction(x, train.y.astype(np.float64), shipped.steepness, rng)  # what fit draws first
    parent = tree._network(train, train, rng)
    np.testing.assert_allclose(tree.predict(params, train.x), parent.answers(x), rtol=1e-9, atol=1e-12)
    moved = (train.x + np.random.default_rng(1).normal(0, 1e-2, train.x.shape)).astype(np.float32)
    same = np.isclose(tree.predict(params, moved), parent.answers(moved.astype(np.float64)), rtol=1e-6)
    assert same.mean() < 0.9


def test_a_synthesis_of_regions_is_its_parent_where_the_pattern_is_the_inputs():
    instance = load_task("lipschitz-regression@1").load("distance-2d")
    info = load_task("lipschitz-regression@1").info["distance-2d"]
    train = split(instance.train.x[:2048], instance.train.y[:2048])
    shipped = module("conditional-synthesis")
    tree = make("conditional-synthesis", info, theorem="region", hidden=6, depth=6)
    params = tree.fit(train, train, np.random.default_rng(0))
    parent = tree._network(train, train, np.random.default_rng(0))
    fresh = instance.test.x.astype(np.float64)
    found = tree.predict(params, instance.test.x)
    maps = shipped.Network.maps(parent, fresh)
    np.testing.assert_allclose(np.sum(maps[0] * fresh, axis=1) + maps[1], parent.answers(fresh), atol=1e-9)
    same = np.isclose(found, parent.answers(fresh), rtol=1e-6, atol=1e-9)
    assert same.mean() > 0.9  # six neurons, six levels: only rare patterns are not told apart
