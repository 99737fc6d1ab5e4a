"""Experts that are trained apart, the tree that finds them, and what they load."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import stacked_mlps
from sparsebench.tasks import load_task
from stacked_mlps import Part, Training, apply_stacked, fit_stacked
from submissions.formulas import expected
from submissions.shipped import make, module
from submissions.sizes import Sizes

MOMLP = module("momlp")
SHORT = Training(steps=40, batch=8)


def samples(n, d, seed):
    x = np.random.default_rng(seed).uniform(-1, 1, (n, d)).astype(np.float32)
    return x, np.sin(3 * x[:, 0]).astype(np.float32)


def parts(n, d, experts):
    """Give training and validation samples, each expert's in turns; the last expert has none to validate."""
    whole = []
    for many, owners in ((n, experts), (n // 4, experts - 1)):
        own = np.arange(many) % owners
        whole.append(Part(*samples(many, d, many), [np.flatnonzero(own == each) for each in range(experts)]))
    return whole


def test_experts_trained_together_are_those_that_are_trained_apart():
    train, valid = parts(210, 3, 5)
    together = fit_stacked(train, valid, (4,), np.random.default_rng(0).spawn(5), SHORT)
    for own, rng in enumerate(np.random.default_rng(0).spawn(5)):
        one = [part._replace(rows=[part.rows[own]]) for part in (train, valid)]
        apart = fit_stacked(*one, (4,), [rng], SHORT)
        for mine, ours in zip(apart, together, strict=True):
            np.testing.assert_allclose(mine[0], ours[own], rtol=1e-5, atol=1e-6)


def test_samples_of_other_cells_change_nothing_of_an_expert():
    train, valid = parts(120, 2, 3)
    other = train.y.copy()
    other[train.rows[2]] += 5.0
    first, second = (
        fit_stacked(train._replace(y=y), valid, (4,), np.random.default_rng(0).spawn(3), SHORT)
        for y in (train.y, other)
    )
    for before, after in zip(first, second, strict=True):
        np.testing.assert_array_equal(before[:2], after[:2])
    assert (first[-1][2] != second[-1][2]).all()


def test_an_expert_begins_as_the_affine_function_of_least_squares():
    x, y = samples(80, 3, 0)
    part = Part(x, y, [np.arange(80)])
    for hidden in ((5,), (6, 4)):
        how = Training(steps=0, ridge=0.0)
        layers = fit_stacked(part, part, hidden, [np.random.default_rng(0)], how)
        inputs = np.column_stack([x, np.ones(80)]).astype(np.float64)
        told = inputs @ np.linalg.lstsq(inputs, y.astype(np.float64))[0]
        np.testing.assert_allclose(apply_stacked(layers, x, np.zeros(80, dtype=int)), told, atol=1e-5)


@given(widths=st.lists(st.integers(1, 4), min_size=1, max_size=2), seed=st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_slopes_are_those_of_half_the_mean_squared_error(widths, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5))
    layers = []
    for seen, width in zip((3, *widths), (*widths, 1), strict=True):
        layers += [rng.normal(size=(2, width, seen)), rng.normal(size=(2, width))]

    def loss():
        missed = stacked_mlps._forward(layers, x)[-1][..., 0] - y
        return np.sum(missed**2) / (2 * x.shape[1])

    for layer, slope in zip(layers, stacked_mlps._slopes(layers, x, y), strict=True):
        assert slope.shape == layer.shape
        place = tuple(rng.integers(size) for size in layer.shape)
        before = layer[place]
        layer[place] = before + 1e-6
        above = loss()
        layer[place] = before - 1e-6
        below = loss()
        layer[place] = before
        np.testing.assert_allclose(slope[place], (above - below) / 2e-6, atol=1e-5)


def test_training_keeps_the_best_moment_and_lowers_the_error():
    train, valid = parts(400, 2, 2)
    every = np.concatenate(train.rows[:1])
    errors = []
    for steps in (0, 300):
        layers = fit_stacked(train, valid, (8,), np.random.default_rng(0).spawn(2), Training(steps=steps))
        told = apply_stacked(layers, train.x[every], np.zeros(len(every), dtype=int))
        errors.append(np.mean((told - train.y[every]) ** 2))
    assert errors[1] < errors[0] / 4


@given(n=st.integers(1, 60), depth=st.integers(1, 5), seed=st.integers(0, 20))
@settings(max_examples=25, deadline=None)
def test_the_router_goes_to_the_nearer_child_at_every_node(n, depth, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2)).astype(np.float32)
    tree = MOMLP.tree_of(x.astype(np.float64), depth, rng)
    assert len(tree) == 2 ** (depth + 1) - 2
    leaf = make("momlp", depth=depth).router.route(MOMLP.bisectors(tree), x).experts
    assert leaf.shape == (n, 1)
    node, first = np.zeros(n, dtype=int), 0
    for level in range(depth):
        children = tree[first + 2 * node[:, None] + np.arange(2)]
        distance = np.sum((x[:, None].astype(np.float64) - children) ** 2, axis=-1)
        chosen = leaf[:, 0] >> (depth - 1 - level)
        gap = np.take_along_axis(distance, (chosen % 2)[:, None], axis=1)[:, 0] - distance.min(axis=1)
        assert (gap <= 1e-5).all()
        first, node = first + 2 ** (level + 1), chosen


@given(d=st.integers(1, 5), seed=st.integers(0, 30))
def test_a_bisector_lies_in_the_middle_between_two_prototypes(d, seed):
    pair = np.random.default_rng(seed).normal(size=(2, d))
    cut = MOMLP.bisectors(pair)
    for place, beyond in ((0.0, False), (0.49, False), (0.51, True), (1.0, True)):
        assert (cut["normals"][0] @ (pair[0] + place * (pair[1] - pair[0])) > cut["thresholds"][0]) == beyond


def test_a_cell_with_few_samples_gets_the_inputs_nearest_to_its_prototype():
    x = np.arange(40.0)[:, None]
    own = [np.arange(20), np.array([30]), np.array([], dtype=int)]
    rows = MOMLP.filled(own, x, np.array([[10.0], [30.0], [0.0]]))
    np.testing.assert_array_equal(rows[0], np.arange(20))
    assert set(rows[1].tolist()) == set(range(22, 38)) or set(rows[1].tolist()) == set(range(23, 39))
    np.testing.assert_array_equal(rows[2], np.arange(MOMLP.FEWEST))


def test_one_of_64_experts_loads_40_times_fewer_parameters_than_a_dense_network_of_the_same_total():
    own = expected("momlp", {"depth": 6}, Sizes(16384, 2))
    width = next(w for w in range(1, 999) if w * 3 + w * (w + 1) + w + 1 >= own["stored_parameters"])
    dense = width * 3 + width * (width + 1) + width + 1
    assert own["loaded_parameters"] == 18 + 33
    assert dense / own["loaded_parameters"] >= 40


def test_more_experts_lower_the_largest_error():
    instance = load_task("lipschitz-regression@1").load("sin-2d")
    errors = []
    for depth in (2, 4, 6):
        mixture = make("momlp", depth=depth, steps=100)
        params = mixture.fit(instance.train, instance.valid, np.random.default_rng(0))
        errors.append(np.abs(mixture.predict(params, instance.test.x) - instance.test.y).max())
    assert errors[0] > 1.5 * errors[1] > 3 * errors[2]
