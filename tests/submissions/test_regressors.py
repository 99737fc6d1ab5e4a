"""The mathematics of the hashing and prototype submissions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nested_polynomials import Samples
from sparsebench.tasks import load_task
from submissions.shipped import make, module, split


@given(data=st.data(), planes=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_seen_buckets_hold_their_mean_and_unseen_ones_a_mean_of_neighbours(data, planes):
    samples = st.lists(st.tuples(st.integers(0, 2**planes - 1), st.floats(-5, 5)), min_size=1, max_size=30)
    bucket, y = map(np.array, zip(*data.draw(samples), strict=True))
    means = module("lsh-constant").bucket_means(bucket, y, 2**planes)
    seen = {b: y[bucket == b].mean() for b in np.unique(bucket)}
    assert all(means[b] == pytest.approx(mean, abs=1e-12) for b, mean in seen.items())
    assert means.min() >= min(seen.values()) - 1e-12
    assert means.max() <= max(seen.values()) + 1e-12
    for b in set(range(2**planes)) - set(seen):
        beside = [seen[c] for c in (b ^ (1 << plane) for plane in range(planes)) if c in seen]
        if beside:
            assert means[b] == pytest.approx(np.mean(beside), abs=1e-12)


def test_unseen_buckets_are_filled_from_as_far_as_need_be():
    means = module("lsh-constant").bucket_means(np.array([0, 0]), np.array([1.0, 3.0]), 64)
    np.testing.assert_array_equal(means, np.full(64, 2.0))


def test_one_table_answers_the_mean_of_the_inputs_own_bucket():
    rng = np.random.default_rng(0)
    train = split(rng.uniform(-1, 1, (500, 3)), rng.normal(size=500))
    lsh = make("lsh-constant", planes=4)
    params = lsh.fit(train, train, rng)
    bucket = lsh.router.route(params, train.x).experts[:, 0]
    means = [train.y[bucket == own].astype(np.float64).mean() for own in bucket]
    np.testing.assert_allclose(lsh.predict(params, train.x), means, atol=1e-12)


def test_planes_with_offsets_cut_the_unit_square_into_more_than_wedges():
    train = load_task("lipschitz-regression@1").load("distance-2d").train
    lsh = make("lsh-constant", planes=8)
    params = lsh.fit(train, train, np.random.default_rng(0))
    regions = len(np.unique(lsh.router.route(params, train.x).experts))
    assert regions > 9  # 8 lines through the corner of a quadrant leave at most 9 wedges of it


def test_further_tables_reduce_the_error():
    instance = load_task("lipschitz-regression@1").load("distance-2d")
    errors = []
    for tables in (1, 4, 16):
        lsh = make("lsh-constant", planes=8, tables=tables)
        params = lsh.fit(instance.train, instance.valid, np.random.default_rng(0))
        errors.append(np.mean((lsh.predict(params, instance.test.x) - instance.test.y) ** 2))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


@pytest.mark.parametrize(
    ("name", "sizes"), [("lsh-affine", {"planes": 7}), ("nearest-prototype", {"prototypes": 40})]
)
def test_affine_experts_reproduce_an_affine_function_in_every_cell(name, sizes):
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (300, 5)).astype(np.float32)
    slopes = rng.normal(size=5)
    routed = make(name, **sizes)
    train = split(x, x @ slopes + 0.5)
    params = routed.fit(train, train, rng)
    unseen = rng.uniform(-1, 1, (2000, 5)).astype(np.float32)
    np.testing.assert_allclose(routed.predict(params, unseen), unseen @ slopes + 0.5, atol=1e-6)


def test_an_affine_bucket_without_samples_holds_the_function_of_the_larger_one_around_it():
    rng = np.random.default_rng(2)
    bucket = np.repeat([0, 1, 6], 200)  # of 8: nothing in 2 and 3, nor in 4, 5 and 7
    x = rng.normal(size=(600, 2))
    y = np.where(bucket < 4, x[:, 0] + bucket, 2 - x[:, 1])
    samples = Samples(x, y, bucket)
    functions = make("lsh-affine", planes=3).experts.fit_buckets(samples, samples)
    slopes, intercepts = functions["slopes"][:, 0], functions["intercepts"][:, 0]
    np.testing.assert_allclose(slopes[:4], np.tile([1, 0], (4, 1)), atol=0.1)
    np.testing.assert_allclose(intercepts[:4], [0, 1, 0.5, 0.5], atol=0.1)
    np.testing.assert_allclose(slopes[4:], np.tile([0, -1], (4, 1)), atol=0.01)
    np.testing.assert_allclose(intercepts[4:], 2, atol=0.01)


def test_finer_affine_buckets_are_better_even_where_samples_are_few():
    instance = load_task("lipschitz-regression@1").load("distance-2d")
    few = split(instance.train.x[:1024], instance.train.y[:1024])
    errors = []
    for planes in (4, 8, 12):
        lsh = make("lsh-affine", planes=planes)
        params = lsh.fit(few, instance.valid, np.random.default_rng(0))
        errors.append(np.mean((lsh.predict(params, instance.test.x) - instance.test.y) ** 2))
    assert errors[0] > 1.5 * errors[1] > 2.25 * errors[2]


@given(n=st.integers(2, 60), many=st.integers(1, 12), seed=st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_farthest_points_are_a_net(n, many, seed):
    many = min(many, n)
    x = np.random.default_rng(seed).uniform(size=(n, 2))
    net = module("nearest-prototype").farthest_points(x, many, np.random.default_rng(seed))
    apart = np.linalg.norm(net[:, None] - net[None], axis=-1)[~np.eye(many, dtype=bool)]
    covering = np.linalg.norm(x[:, None] - net[None], axis=-1).min(axis=1).max()
    assert len(np.unique(net, axis=0)) == many
    assert many == 1 or covering <= apart.min() + 1e-12


def test_more_prototypes_lower_the_error():
    task = load_task("lipschitz-regression@1")
    for name in ("rough-1d", "distance-2d", "hypercube", "curved-k2-d64", "etopo5"):
        instance = task.load(name)
        errors = []
        for prototypes in (4, 16, 64):
            routed = make("nearest-prototype", prototypes=prototypes)
            params = routed.fit(instance.train, instance.valid, np.random.default_rng(0))
            errors.append(np.mean((routed.predict(params, instance.test.x) - instance.test.y) ** 2))
        assert errors[0] > errors[1] > errors[2]


@given(seed=st.integers(0, 99), centres=st.integers(1, 20), d=st.integers(1, 6))
@settings(max_examples=20, deadline=None)
def test_a_kernel_machine_is_the_sum_of_gaussians_around_training_inputs(seed, centres, d):
    rng = np.random.default_rng(seed)
    train = split(rng.uniform(-1, 1, (60, d)), rng.normal(size=60))
    machine = make("kernel-nystrom", centres=centres)
    params = machine.fit(train, train, rng)
    rate = -params["rate"][0]
    around = params["directions"] / (2 * rate)
    inputs = {row.tobytes() for row in train.x.astype(np.float64)}
    assert all(np.min(np.abs(train.x - row).max(axis=1)) < 1e-9 for row in around)
    assert len(inputs) == 60
    assert len(around) == centres
    fresh = rng.uniform(-1, 1, (40, d)).astype(np.float32)
    distances = np.sum((fresh[:, None, :].astype(np.float64) - around) ** 2, axis=2)
    by_hand = np.exp(-rate * distances) @ params["readout"] + params["intercept"]
    np.testing.assert_allclose(machine.predict(params, fresh), by_hand, rtol=1e-6, atol=1e-6)


def test_ridges_of_one_decomposition_are_those_of_the_normal_equations():
    rng = np.random.default_rng(0)
    features, y = rng.normal(size=(50, 7)), rng.normal(size=50)
    gram = features.T @ features
    shipped = module("kernel-nystrom")
    for ridge, found in zip((1e-3, 0.5), shipped.readouts(features, y, (1e-3, 0.5)), strict=True):
        penalty = ridge * np.trace(gram) / 7
        np.testing.assert_allclose(found, np.linalg.solve(gram + penalty * np.eye(7), features.T @ y))


def test_kernels_do_better_than_chance_on_an_address_and_worse_than_who_finds_its_bits():
    task = load_task("cube@1")
    instance, info = task.load("address-k2-n12"), task.info["address-k2-n12"]
    machine = make("kernel-nystrom", info, centres=256)
    params = machine.fit(instance.train, instance.valid, np.random.default_rng(0))
    right = np.mean(machine.predict(params, instance.test.x) == instance.test.y)
    assert 0.75 < right < 0.97
