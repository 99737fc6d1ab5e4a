"""The functions, masks, prices and hashes of the study of sparse models."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.studies import dsm_lsh


def test_the_hypercube_function_is_the_papers_sum():
    rng = np.random.default_rng(3)
    f = dsm_lsh.hypercube_function(np.random.default_rng(5))
    values = np.random.default_rng(5).choice((-1.0, 1.0), 256)
    x = rng.uniform(-1, 1, (20, 8))
    corners = list(itertools.product((-1.0, 1.0), repeat=8))
    by_hand = [
        sum(
            v * np.prod([(1 + a * b) / 2 for a, b in zip(y, row, strict=True)])
            for y, v in zip(corners, values, strict=True)
        )
        for row in x
    ]
    assert f(x) == pytest.approx(by_hand)
    assert f(np.array(corners)) == pytest.approx(values)  # at a corner it is the corner's value


def test_the_polynomial_is_of_degree_four_with_small_coefficients():
    f = dsm_lsh.random_polynomial(np.random.default_rng(1))
    x = np.random.default_rng(2).uniform(-1, 1, (50, 8))
    assert np.max(np.abs(f(x))) < 1.0
    scales = np.arange(6)
    along = np.array([f(scale * x[:1])[0] for scale in scales])  # a polynomial of the scale, of degree 4
    assert np.diff(along, n=5) == pytest.approx(0.0, abs=1e-8)


@given(st.integers(1, 8), st.integers(0, 99))
@settings(max_examples=20)
def test_a_mask_keeps_the_largest_units_and_as_many_as_are_active(active, seed):
    rng = np.random.default_rng(seed)
    x, weights, biases = rng.normal(size=(30, 3)), rng.normal(size=(16, 3)), rng.normal(size=16)
    heights = np.maximum(x @ weights.T + biases, 0)
    seen = dsm_lsh._masked(x, weights, biases, active, None)
    assert np.all((seen == 0) | (seen == heights))
    assert np.all((seen > 0).sum(axis=1) <= active)
    assert seen.sum(axis=1) == pytest.approx(np.sort(heights, axis=1)[:, -active:].sum(axis=1))
    planes = rng.normal(size=(3, 3))
    hashed = dsm_lsh._masked(x, weights, biases, active, planes)
    assert np.all((hashed == 0) | (hashed == heights))
    assert np.all((hashed > 0).sum(axis=1) <= active)


def test_the_router_of_table_1_is_charged():
    assert dsm_lsh.honest_price(18432, 0.25) == 67584
    assert dsm_lsh.honest_price(18432, 1.0) == 18432  # a dense network has no other price


def test_buckets_on_a_plane_grow_with_finer_hashes_and_not_with_dimensions():
    coarse, fine = (np.mean([dsm_lsh.buckets(16, e, s, 5000) for s in range(4)]) for e in (1.0, 0.5))
    wide = np.mean([dsm_lsh.buckets(64, 1.0, s, 5000) for s in range(4)])
    assert 2 * coarse < fine
    assert coarse / 2 < wide < 2 * coarse


def test_the_largest_units_do_better_than_as_many_that_are_all_there_are():
    found = [dsm_lsh._ratios("H", 32, seed, 3000) for seed in range(3)]
    assert np.mean([each["DSM-25%"] / each["dense"] for each in found]) < 0.9
