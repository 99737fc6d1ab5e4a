"""The mathematics of the dense and the data-dependent sparse networks."""

from __future__ import annotations

import numpy as np
import pytest

from sparsebench.tasks import load_task
from submissions.shipped import make, split


@pytest.fixture(scope="module")
def train():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 8))
    return split(x, np.prod(x[:, :3], axis=1) + x[:, 0])


@pytest.fixture(scope="module")
def unseen():
    return np.random.default_rng(1).uniform(-1, 1, (200, 8)).astype(np.float32)


def test_reuse_and_mask_form_are_one_function(train, unseen):
    answers = []
    for reuse in (False, True):
        dsm = make("dsm-topk", active=16, units=64, reuse=reuse)
        answers.append(dsm.predict(dsm.fit(train, train, np.random.default_rng(3)), unseen))
    np.testing.assert_allclose(answers[0], answers[1], rtol=1e-12, atol=1e-12)


def test_dense_and_sparse_draw_the_same_features(train):
    dense = make("dense-features", units=64).fit(train, train, np.random.default_rng(3))
    dsm = make("dsm-topk", active=16, units=64).fit(train, train, np.random.default_rng(3))
    np.testing.assert_array_equal(dense["weights"], dsm["weights"])
    np.testing.assert_array_equal(dense["biases"], dsm["biases"])


def test_a_mask_of_all_units_is_the_dense_network(train, unseen):
    dense, dsm = make("dense-features", units=32), make("dsm-topk", active=32, units=32)
    answers = [m.predict(m.fit(train, train, np.random.default_rng(3)), unseen) for m in (dense, dsm)]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-9)


def test_the_mask_keeps_the_largest_pre_activations(train, unseen):
    dsm = make("dsm-topk", active=5, units=20)
    params = dsm.fit(train, train, np.random.default_rng(4))
    values = unseen.astype(np.float64) @ params["weights"].T + params["biases"]
    hidden = np.where(values >= np.sort(values, axis=1)[:, -5:-4], np.maximum(values, 0), 0)
    by_mask = hidden @ params["readout"] + params["intercept"]
    np.testing.assert_allclose(dsm.predict(params, unseen), by_mask, atol=1e-12)


def test_the_readout_is_the_ridge_solution(train):
    params = make("dense-features", units=10, ridge=0.01).fit(train, train, np.random.default_rng(5))
    hidden = np.maximum(train.x @ params["weights"].T + params["biases"], 0)
    features = np.column_stack([hidden, np.ones(len(train))])
    weights = np.concatenate([params["readout"], params["intercept"]])
    gradient = features.T @ (features @ weights - train.y) + 0.01 * len(train) * weights
    np.testing.assert_allclose(gradient, 0, atol=1e-8)


@pytest.mark.parametrize("density", [50, 25])
def test_sparse_beats_dense_at_equal_active_units_by_a_fifth_to_two_fifths(density):
    """Baykal et al. report it router-free, on their target (H); here the mean over seeds 0..4."""
    instance = load_task("lipschitz-regression@1").load("hypercube")
    errors = {"dense-features": 0.0, "dsm-topk": 0.0}
    for seed in range(5):
        for name, sizes in (
            ("dense-features", {"units": 64}),
            ("dsm-topk", {"active": 64, "units": 6400 // density, "reuse": True}),
        ):
            model = make(name, **sizes)
            params = model.fit(instance.train, instance.valid, np.random.default_rng(seed))
            errors[name] += np.mean((model.predict(params, instance.test.x) - instance.test.y) ** 2)
    assert 0.6 < errors["dsm-topk"] / errors["dense-features"] < 0.8
