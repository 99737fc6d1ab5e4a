"""Nets of prototypes, the functions of their cells, and experts that are trained apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.studies.momlp import TARGETS, apart_and_together, sup_errors
from sparsebench.studies.nets import cell_errors, farthest_points, nearest


@given(st.integers(2, 60), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=30)
def test_a_net_covers_its_inputs_within_the_distance_of_its_points(n, d, seed):
    x = np.random.default_rng(seed).random((n, d))
    many = min(n, 8)
    ((net, own),) = farthest_points(x, many, [many])
    assert net.shape == (many, d)
    to_own = np.linalg.norm(x - net[own], axis=1)
    distances = np.linalg.norm(x[:, None] - net, axis=2)
    assert to_own == pytest.approx(distances.min(axis=1))
    between = np.linalg.norm(net[:, None] - net, axis=2)[np.triu_indices(many, 1)]
    assert to_own.max(initial=0.0) <= between.min(initial=np.inf) + 1e-12  # Gonzalez's bound rests on it
    assert distances[np.arange(n), nearest(x, net)] == pytest.approx(distances.min(axis=1))


def test_affine_cells_meet_an_affine_function_and_constant_ones_its_means():
    rng = np.random.default_rng(0)
    x = rng.random((500, 2))
    ((net, own),) = farthest_points(x, 7, [7])
    y = 3 * x[:, 0] - x[:, 1] + 1
    assert cell_errors((x, y, own), (x, y, own), len(net), affine=True) < 1e-6
    means = np.array([y[own == cell].mean() for cell in range(7)])
    by_hand = np.max(np.abs(means[own] - y))
    assert cell_errors((x, y, own), (x, y, own), len(net), affine=False) == pytest.approx(by_hand)


@pytest.mark.parametrize("what", TARGETS)
def test_more_experts_have_a_smaller_largest_error(what):
    errors = sup_errors(what, 1, 0, 4000, (8, 32, 128))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_the_distance_has_lipschitz_constant_1():
    rng = np.random.default_rng(1)
    f = TARGETS["constant"][0](3, rng)
    a, b = rng.random((500, 3)), rng.random((500, 3))
    assert np.all(np.abs(f(a) - f(b)) <= np.linalg.norm(a - b, axis=1) + 1e-12)


def test_apart_is_together():
    assert apart_and_together(3) <= 1e-6
