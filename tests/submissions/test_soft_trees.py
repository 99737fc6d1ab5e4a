"""Soft trees: their probabilities, the path that is used, and what training leaves in the leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import soft_routes
from sparsebench import ops
from sparsebench.tasks import TaskInfo
from submissions.shipped import make, module, split

SEEDS = st.integers(0, 2**16)
REAL = TaskInfo("lipschitz-regression@1", "nmse", (3,), "float32")


def tree(depth: int, seed: int):
    """Draw hyperplanes, and inputs."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2**depth - 1, 3)), rng.normal(size=2**depth - 1), rng.normal(size=(50, 3))


@given(depth=st.integers(1, 5), seed=SEEDS)
@settings(max_examples=30)
def test_the_hard_leaf_is_where_every_step_takes_the_likelier_side(depth, seed):
    normals, thresholds, x = tree(depth, seed)
    leaf = soft_routes.hard_leaf(normals, thresholds, x)
    np.testing.assert_array_equal(leaf, ops.oblique_tree_route(x, normals, thresholds))
    # By the probabilities alone: of a node's two children the one below which more of them lies.
    shares = soft_routes.chances(normals, thresholds, x)
    place = np.zeros(len(x), dtype=np.int64)
    for level in range(1, depth + 1):
        below = shares.reshape(len(x), 2**level, -1).sum(axis=2)
        children = np.stack([below[np.arange(len(x)), 2 * place + side] for side in (0, 1)], axis=1)
        place = 2 * place + children.argmax(axis=1)
    np.testing.assert_array_equal(leaf, place)


@given(depth=st.integers(1, 5), seed=SEEDS)
@settings(max_examples=30)
def test_probabilities_sum_to_one_and_steep_neurons_leave_one_leaf(depth, seed):
    normals, thresholds, x = tree(depth, seed)
    np.testing.assert_allclose(soft_routes.chances(normals, thresholds, x).sum(axis=1), 1, rtol=1e-12)
    steep = soft_routes.chances(1e6 * normals, 1e6 * thresholds, x)
    np.testing.assert_array_equal(steep.argmax(axis=1), soft_routes.hard_leaf(normals, thresholds, x))
    assert np.median(steep.max(axis=1)) > 0.999


def test_leaves_of_a_soft_tree_are_the_means_of_their_samples():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (2000, 3)).astype(np.float32)
    train = split(x, np.where(x[:, 0] + x[:, 1] > 0, 5.0, 2.0))
    model = make("soft-tree", REAL, depth=2)
    params = model.fit(train, train, np.random.default_rng(1))
    leaf = model.router.route(params, x).experts[:, 0]
    for own in np.unique(leaf):
        assert params["told"][own] == pytest.approx(train.y[leaf == own].mean(), rel=1e-4)
    assert np.std(model.predict(params, x) - train.y) < 0.5 * np.std(train.y)


def test_a_fast_feedforward_network_runs_one_leaf_of_many():
    """Its answer is that leaf's network of ReLUs on the input as it is: scaling has been folded away."""
    rng = np.random.default_rng(0)
    x = (5 + rng.uniform(-1, 1, (2000, 3)) * [1, 10, 0.1]).astype(np.float32)
    train = split(x, 3 + np.abs(x[:, 1] - 5))
    model = make("fast-feedforward", REAL, depth=2, hidden=4)
    params = model.fit(train, train, np.random.default_rng(1))
    leaf = ops.oblique_tree_route(x, params["normals"], params["thresholds"])
    assert len(np.unique(leaf)) > 1
    units = np.maximum(
        0, np.einsum("nhd,nd->nh", params["hidden_weights"][leaf], x) + params["hidden_biases"][leaf]
    )
    by_hand = np.einsum("nh,nh->n", params["weights"][leaf][:, 0], units) + params["biases"][leaf][:, 0]
    told = model.predict(params, x)
    np.testing.assert_allclose(told, by_hand, rtol=1e-10)
    assert np.std(told - train.y) < 0.5 * np.std(train.y)


@given(n=st.integers(2, 60), seed=SEEDS)
@settings(max_examples=20)
def test_a_tree_that_halves_its_samples_recalls_all_labels_when_it_is_deep_enough(n, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)).astype(np.float32), rng.normal(size=n).astype(np.float32)
    depth = (n - 1).bit_length()
    params = module("soft-tree").halved(x, y, depth, rng)
    leaf = ops.oblique_tree_route(x, params["normals"], params["thresholds"])
    np.testing.assert_array_equal(params["told"][leaf], y)
    shallow = module("soft-tree").halved(x, y, depth - 1, rng)
    leaf = ops.oblique_tree_route(x, shallow["normals"], shallow["thresholds"])
    assert np.sum(shallow["told"][leaf] == y) == min(n, 2 ** (depth - 1))
