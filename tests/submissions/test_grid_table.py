"""The mathematics of the grid, of its cells and of the teachers that fill them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsebench.tasks import load_task
from submissions.formulas import expected
from submissions.shipped import columns, make, metered, module, split
from submissions.sizes import Sizes

GRID = module("grid-table")
TASK = load_task("lipschitz-regression@1")
ROWS = 1024


def few(name):
    """Give a part of an instance's training split, and its test split."""
    instance = TASK.load(name)
    return split(instance.train.x[:ROWS], instance.train.y[:ROWS]), instance.test


@given(bits=st.integers(1, 16), d=st.integers(1, 20))
def test_bits_are_spread_as_equally_as_may_be(bits, d):
    shares = GRID.shares(bits, min(bits, d))
    assert sum(shares) == bits
    assert max(shares) - min(shares) <= 1
    assert list(shares) == sorted(shares, reverse=True)


def test_the_coordinates_that_vary_most_get_what_is_left_over():
    x = np.random.default_rng(0).normal(size=(100, 4)) * [1.0, 4.0, 2.0, 3.0]
    grid = GRID.grid_of(x, 6)
    assert grid.columns.tolist() == [1, 3, 2, 0]
    assert grid.bits == (2, 2, 1, 1)
    assert GRID.grid_of(x, 3).columns.tolist() == [1, 3, 2]


@given(bits=st.integers(1, 10), d=st.integers(1, 5), seed=st.integers(0, 20))
@settings(max_examples=60)
def test_the_router_gives_the_cell_that_an_input_lies_in(bits, d, seed):
    """The middle of the cell is no farther than half the cell, for every input of the box."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (200, d)).astype(np.float32)
    train = split(x, np.zeros(len(x)))
    router = make("grid-table", bits=bits).router
    params = router.fit(train, train, rng)
    cell = router.route(params, x).experts[:, 0]
    grid = GRID.grid_of(x, bits)
    size = grid.width / 2.0 ** np.array(grid.bits)
    middles = grid.low + size * (GRID.places_of(grid) + 0.5)
    assert (cell >= 0).all()
    assert (cell < 2**bits).all()
    assert (np.abs(x[:, grid.columns] - middles[cell]) <= size / 2 + 1e-6).all()


def test_inputs_outside_the_box_are_given_its_outermost_cells():
    for d in (2, 3):
        x = np.random.default_rng(0).uniform(-1, 1, (300, d)).astype(np.float32)
        train = split(x, np.zeros(len(x)))
        router = make("grid-table", bits=2 * d).router
        params = router.fit(train, train, np.random.default_rng(0))
        outermost = router.route(params, np.array([[-9.0] * d, [9.0] * d], dtype=np.float32)).experts[:, 0]
        assert outermost.tolist() == [0, 2 ** (2 * d) - 1]


@pytest.mark.parametrize("settings_of", [{"bits": 10}, {"bits": 8, "affine": True}])
@pytest.mark.parametrize(
    ("name", "d", "negative"),
    [
        ("rough-1d", 1, False),
        ("distance-2d", 2, False),
        ("etopo5", 2, True),
        ("mcshane-3d", 3, False),
        ("convac", 16, True),
    ],
)
def test_it_costs_what_the_formula_says_in_every_dimension(name, d, negative, settings_of):
    train, test = few(name)
    table = make("grid-table", TASK.info[name], **settings_of)
    params = table.fit(train, train, np.random.default_rng(0))
    counted = columns(metered(table, params, test.x[:1]))
    assert counted == expected("grid-table", settings_of, Sizes(ROWS, d, negative=negative))


@pytest.mark.parametrize("teach", ["machine", "neighbours"])
def test_a_teacher_knows_its_function_and_its_slope(teach):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 2))
    y = np.sin(2 * x[:, 0]) + x[:, 1] ** 2
    teacher = GRID.kernel_machine(x, y, x[:200], 1.0) if teach == "machine" else GRID.neighbours(x, y)
    points = rng.uniform(-0.8, 0.8, (40, 2))
    told = teacher(points)
    np.testing.assert_allclose(told.values, np.sin(2 * points[:, 0]) + points[:, 1] ** 2, atol=0.02)
    step = 1e-6
    for axis in range(2):
        there, back = points.copy(), points.copy()
        there[:, axis] += step
        back[:, axis] -= step
        slope = (teacher(there).values - teacher(back).values) / (2 * step)
        np.testing.assert_allclose(told.slopes[:, axis], slope, atol=1e-4)


def test_a_teacher_of_neighbours_repeats_the_samples():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(size=(300, 2)), rng.normal(size=300)
    np.testing.assert_allclose(GRID.neighbours(x, y)(x[:50]).values, y[:50], atol=1e-5)


@given(n=st.integers(1, 12), features=st.integers(1, 12))
@settings(max_examples=30)
def test_both_systems_of_a_ridge_regression_say_the_same(n, features):
    rng = np.random.default_rng(n)
    a, y = rng.normal(size=(n, features)), rng.normal(size=n)
    plain = np.linalg.solve(a.T @ a + GRID.PRIOR * np.eye(features), a.T @ y)
    np.testing.assert_allclose(GRID.ridge(a, y), plain, atol=1e-12)


def test_an_affine_function_is_reproduced_in_every_cell():
    rng = np.random.default_rng(1)
    train, valid, unseen = (
        split(x, x @ np.array([1.0, -2.0, 0.5]) + 0.25)
        for x in (rng.uniform(-1, 1, (many, 3)).astype(np.float32) for many in (2000, 200, 500))
    )
    table = make("grid-table", bits=6, affine=True)
    params = table.fit(train, valid, rng)
    np.testing.assert_allclose(table.predict(params, unseen.x), unseen.y, atol=0.02)


@pytest.mark.parametrize("own", [{"bits": 8}, {"bits": 8, "affine": True}])
def test_where_a_teacher_guesses_cells_say_no_less_than_the_mean_or_an_affine_function(own):
    """In many coordinates, the teacher of few samples says anything at the centres of cells."""
    rng = np.random.default_rng(0)
    train, unseen = (
        split(x, np.max(x, axis=1))
        for x in (rng.normal(size=(many, 32)).astype(np.float32) for many in (600, 400))
    )
    table = make("grid-table", **own)
    params = table.fit(train, unseen, np.random.default_rng(0))
    error = np.mean((table.predict(params, unseen.x) - unseen.y) ** 2)
    assert error < 1.1 * np.var(unseen.y)


@pytest.mark.parametrize(("d", "bits"), [(8, 16), (59, 16), (60, 15), (64, 15), (256, 13)])
def test_affine_cells_fit_into_the_box(d, bits):
    info = TASK.info["sst"]
    wide = dataclasses.replace(info, input_shape=(d,))
    assert make("grid-table", wide, bits=16, affine=True).bits == bits
    assert make("grid-table", wide, bits=16).bits == 16


def test_more_cells_and_affine_ones_lower_the_error():
    train, test = few("distance-2d")
    errors = []
    for own in ({"bits": 4}, {"bits": 8}, {"bits": 8, "affine": True}, {"bits": 12, "affine": True}):
        table = make("grid-table", **own)
        params = table.fit(train, train, np.random.default_rng(0))
        errors.append(np.mean((table.predict(params, test.x) - test.y) ** 2))
    assert errors == sorted(errors, reverse=True)
