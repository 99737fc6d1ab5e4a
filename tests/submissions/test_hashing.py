"""The mathematics of hashes: where planes lie, how cells nest, what buckets hold, which units are active."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import even_planes
import masked_units
import nested_polynomials
from nested_polynomials import Samples, fit_nested, halved_cells, monomials
from sparsebench import ops
from sparsebench.tasks import load_task
from submissions.formulas import expected
from submissions.shipped import columns, make, metered, module, split
from submissions.sizes import Sizes

TASK = load_task("lipschitz-regression@1")
ROWS = 1024


def few(name):
    """Give a part of an instance's training split, and its test split."""
    instance = TASK.load(name)
    return split(instance.train.x[:ROWS], instance.train.y[:ROWS]), instance.test


def random_split(rng, n, d):
    x = rng.uniform(-1, 1, (n, d)).astype(np.float32)
    return split(x, np.sin(3 * x[:, 0]) + x[:, -1] ** 2)


# Planes.


@given(bucket=st.lists(st.integers(0, 7), min_size=1, max_size=60))
def test_unevenness_is_what_the_entropy_lacks(bucket):
    share = np.bincount(bucket) / len(bucket)
    entropy = -sum(p * np.log2(p) for p in share if p)
    uneven = even_planes.unevenness(np.array(bucket), 8)
    assert uneven == pytest.approx(len(bucket) * (np.log2(len(bucket)) - entropy), abs=1e-9)


@given(d=st.integers(1, 6), planes=st.integers(1, 6), seed=st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_a_plane_lies_where_no_other_candidate_leaves_buckets_more_even(d, planes, seed):
    x = np.random.default_rng(seed).normal(size=(200, d))
    drawn = even_planes.even_planes(x, (planes,), np.random.default_rng(seed + 1))
    rng = np.random.default_rng(seed + 1)  # draws the same again
    normals = rng.standard_normal((planes, d))
    through = x[rng.integers(len(x), size=(planes, even_planes.CANDIDATES))]
    bucket = np.zeros(len(x), dtype=np.int64)
    for plane in range(planes):
        offsets = np.sum(through[plane] * normals[plane], axis=1)
        assert drawn["offsets"][plane] in offsets
        options = [
            2 * bucket + (x @ normals[plane] > offset) for offset in (*offsets, drawn["offsets"][plane])
        ]
        uneven = [even_planes.unevenness(option, 2 ** (plane + 1)) for option in options]
        assert uneven[-1] <= min(uneven) + 1e-9
        bucket = options[-1]


def test_planes_of_a_line_cut_it_at_different_places_and_those_of_many_dimensions_near_the_middle():
    rng = np.random.default_rng(0)
    line = even_planes.even_planes(rng.uniform(size=(2000, 1)), (8,), rng)
    cuts = line["offsets"] / line["planes"][:, 0]
    assert len(np.unique(np.round(cuts, 6))) == 8
    assert np.ptp(cuts) > 0.6
    x = rng.normal(size=(2000, 30))
    wide = even_planes.even_planes(x, (3, 4), rng)
    above = np.mean(np.einsum("nd,smd->nsm", x, wide["planes"]) > wide["offsets"], axis=0)
    assert (np.abs(above - 0.5) < 0.2).all()


# Nested cells.


@given(degree=st.integers(0, 2), bits=st.integers(0, 3), r=st.integers(1, 3), seed=st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_a_polynomial_is_reproduced_in_every_cell_with_samples_or_without(degree, bits, r, seed):
    rng = np.random.default_rng(seed)
    z = rng.uniform(-1, 2, (400, r))
    truth = rng.normal(size=monomials(z, degree).shape[1])
    cell = rng.integers(2**bits, size=400) & ~1  # those of odd numbers have none
    samples = Samples(z, monomials(z, degree) @ truth, cell)
    nested = fit_nested(samples, samples, halved_cells(bits), degree)
    assert nested.of_cell.shape == (2**bits,)
    for function in nested.coefficients[nested.of_cell]:
        np.testing.assert_allclose(function, truth, atol=0.02 * (1 + np.abs(truth).max()))


def test_monomials_stand_in_the_order_of_the_primitive():
    z = np.random.default_rng(0).normal(size=(20, 4))
    for degree in (0, 1, 2):
        functions = np.random.default_rng(1).normal(size=(1, monomials(z, degree).shape[1]))
        told = ops.grouped_polynomial(z, np.zeros(20, dtype=np.int64), functions, degree=degree)
        np.testing.assert_allclose(told, monomials(z, degree) @ functions[0], atol=1e-12)


def test_a_cell_without_samples_says_what_the_smallest_larger_one_with_samples_says():
    rng = np.random.default_rng(0)
    cell = np.repeat([0, 1, 4], 200)  # of 8: nothing in 2 and 3, 5, 6 and 7
    samples = Samples(np.zeros((600, 1)), cell + rng.normal(scale=0.01, size=600), cell)
    nested = fit_nested(samples, samples, halved_cells(3), degree=0)
    said = nested.coefficients[nested.of_cell, 0]
    np.testing.assert_allclose(said, [0, 1, 0.5, 0.5, 4, 4, 4, 4], atol=0.01)
    assert len(nested.coefficients) == len(set(nested.of_cell.tolist()))


@given(n=st.integers(1, 12), features=st.integers(1, 12))
@settings(max_examples=25)
def test_both_systems_of_a_ridge_regression_say_the_same(n, features):
    rng = np.random.default_rng(n)
    a, y = rng.normal(size=(n, features)), rng.normal(size=n)
    found = nested_polynomials.ridges(a, y, np.zeros(n, dtype=np.int64), 1)
    for ridge, own in zip(nested_polynomials.RIDGES, found[:, 0], strict=True):
        plain = np.linalg.solve(a.T @ a + ridge * np.eye(features), a.T @ y)
        np.testing.assert_allclose(own, plain, atol=1e-9)


# A quadratic a bucket.


def test_of_many_coordinates_the_directions_are_those_along_which_the_function_bends():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8000, 20))
    bent, along = np.linalg.qr(rng.normal(size=(20, 2)))[0].T
    found = module("lsh-quadratic").leading_directions(x, (x @ bent) ** 2 + x @ along, 3)
    assert found.shape == (3, 20)
    basis = np.linalg.qr(found.T)[0]
    assert np.linalg.norm(basis.T @ bent) > 0.95
    assert np.linalg.norm(basis.T @ along) > 0.95


def test_inputs_of_few_dimensions_in_a_space_of_many_are_seen_whole():
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, (500, 3))
    x = z @ rng.normal(size=(3, 30))
    found = module("lsh-quadratic").leading_directions(x, z[:, 0] ** 2, 12)
    assert found.shape == (3, 30)
    assert np.linalg.matrix_rank(x @ found.T) == 3


def test_a_quadratic_is_reproduced_in_every_bucket():
    rng = np.random.default_rng(1)
    parts = []
    for many in (2000, 200, 500):
        x = rng.uniform(-1, 1, (many, 3)).astype(np.float32)
        parts.append(split(x, x[:, 0] * x[:, 1] - 2 * x[:, 2] ** 2 + x[:, 0] + 0.25))
    train, valid, unseen = parts
    for planes in (0, 5):
        lsh = make("lsh-quadratic", planes=planes)
        params = lsh.fit(train, valid, rng)
        np.testing.assert_allclose(lsh.predict(params, unseen.x), unseen.y, atol=0.005)


# Cells of projections.


@given(directions=st.integers(1, 4), bits=st.integers(1, 4), d=st.integers(1, 5), seed=st.integers(0, 30))
@settings(max_examples=30, deadline=None)
def test_an_address_names_the_cell_of_every_projection_and_of_every_wider_one(directions, bits, d, seed):
    rng = np.random.default_rng(seed)
    train = random_split(rng, 60, d)
    router = make("lsh-pstable", directions=directions, bits=bits).router
    params = router.fit(train, train, rng)
    address = router.address(params, train.x)
    floors = np.floor(train.x @ params["directions"].T + params["offsets"]).astype(np.int64)
    assert floors.min() >= 0  # no training input is clipped
    assert floors.max() < 2**bits
    for level, size in enumerate(router.cells().sizes):
        wide = floors >> (bits - level)
        joined = wide @ (2 ** (level * np.arange(directions)[::-1]))
        larger = router.cells().larger(address, level)
        np.testing.assert_array_equal(larger, joined)
        assert size == 2 ** (level * directions)


@pytest.mark.parametrize("affine", [False, True])
def test_every_address_has_a_bucket_and_those_with_samples_fit_them(affine):
    rng = np.random.default_rng(3)
    train, valid, unseen = (random_split(rng, many, 2) for many in (3000, 300, 300))
    lsh = make("lsh-pstable", directions=3, bits=4, affine=affine)
    params = lsh.fit(train, valid, rng)
    if affine:
        assert params["buckets"].shape == (2**12,)
        assert set(params["buckets"].tolist()) == set(range(len(params["slopes"])))
    far = np.array([[-50, 50], [50, 50], [0, -50]], dtype=np.float32)  # clipped to the outermost cells
    assert np.isfinite(lsh.predict(params, far)).all()
    error = lsh.predict(params, unseen.x) - unseen.y
    assert np.mean(error**2) < (0.01 if affine else 0.12) * np.var(unseen.y)


# Masks.


def test_a_masked_network_is_the_dense_one_with_all_but_the_named_units_left_out():
    rng = np.random.default_rng(0)
    train = random_split(rng, 300, 6)
    for rank in (4, 6):  # what is predicted, and what is exact
        network = make("dsm-predicted", active=5, units=20, rank=rank)
        params = network.fit(train, train, rng)
        active = network.router.route(params, train.x).experts
        assert active.shape == (300, 5)
        assert all(len(set(row)) == 5 for row in active.tolist())
        told = masked(params, train.x, active)
        np.testing.assert_allclose(network.predict(params, train.x), told, atol=1e-6)
        again = masked_units.fit_readout(params, train, active, network.ridge)
        np.testing.assert_array_equal(again["readout"], params["readout"])


def masked(units, x, active):
    """Answer with a dense network of which all units but the active ones are multiplied by 0."""
    mask = np.zeros((len(x), len(units["biases"])))
    np.put_along_axis(mask, active, 1.0, axis=1)
    every = np.maximum(x @ units["weights"].T + units["biases"], 0)
    return (mask * every) @ units["readout"] + units["intercept"]


@given(active=st.integers(1, 8), more=st.integers(0, 8), buckets=st.integers(1, 8), seed=st.integers(0, 20))
def test_a_random_mask_names_different_units(active, more, buckets, seed):
    units = active + more
    draw = module("dsm-random-mask").random_masks
    masks = draw(buckets, units, active, np.random.default_rng(seed))
    assert masks.shape == (buckets, active)
    assert masks.min() >= 0
    assert masks.max() < units
    assert (np.diff(masks, axis=1) > 0).all()


def test_the_record_of_a_bucket_is_the_dense_network_with_all_but_its_random_units_left_out():
    train = random_split(np.random.default_rng(0), 400, 3)
    network = make("dsm-random-mask", active=4, units=16, planes=3)
    params = network.fit(train, train, np.random.default_rng(1))
    rng = np.random.default_rng(1)  # draws the same again
    units = {"weights": rng.standard_normal((16, 3)), "biases": rng.standard_normal(16)}
    masks = module("dsm-random-mask").random_masks(8, 16, 4, rng)
    assert len(np.unique(masks, axis=0)) == 8
    active = masks[ops.hyperplane_hash(train.x, params["planes"], params["offsets"])]
    units |= masked_units.fit_readout(units, train, active, network.ridge)
    np.testing.assert_allclose(network.predict(params, train.x), masked(units, train.x, active), atol=1e-6)


@given(rank=st.integers(1, 6), d=st.integers(6, 9), seed=st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_no_predictor_of_its_rank_is_better(rank, d, seed):
    """Eckart and Young: what is missed is the sum of the squared singular values beyond the rank."""
    rng = np.random.default_rng(seed)
    weights, biases, x = rng.normal(size=(20, d)), rng.normal(size=20), rng.normal(size=(100, d)) + 2
    found = module("dsm-predicted").low_rank(weights, biases, x, rank)
    real = x @ weights.T + biases
    missed = real - ((x @ found["down"].T) @ found["up"].T + found["shifts"])
    beyond = np.linalg.svd(real - real.mean(axis=0), compute_uv=False)[rank:]
    assert np.sum(missed**2) == pytest.approx(np.sum(beyond**2), rel=1e-6, abs=1e-9)


def test_a_predictor_of_few_coordinates_names_the_units_with_the_largest_pre_activations():
    rng = np.random.default_rng(0)
    train = random_split(rng, 200, 4)
    network = make("dsm-predicted", active=6, units=24)
    params = network.fit(train, train, rng)
    assert params.keys() == {"weights", "biases", "readout", "intercept"}
    _, largest = ops.top_k(train.x @ params["weights"].T + params["biases"], 6)
    np.testing.assert_array_equal(network.router.route(params, train.x).experts, largest)


# Prices in other dimensions.


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("lsh-quadratic", {"planes": 3}),
        ("lsh-pstable", {"directions": 3, "bits": 3, "affine": True}),
        ("dsm-random-mask", {"active": 4, "units": 16}),
        ("dsm-predicted", {"active": 4, "units": 16}),
        ("momlp", {"depth": 2, "steps": 4}),
    ],
)
@pytest.mark.parametrize(("instance", "d"), [("rough-1d", 1), ("convac", 16), ("curved-k2-d64", 64)])
def test_it_costs_what_the_formula_says_in_every_dimension(instance, d, name, own):
    train, test = few(instance)
    made = make(name, TASK.info[instance], **own)
    params = made.fit(train, train, np.random.default_rng(0))
    counted = columns(metered(made, params, test.x[:1]))
    assert counted == expected(name, own, Sizes(ROWS, d), params, test.x[0])
