from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from tasks.lipschitz_instances import (
    FORMULAS,
    GENERATE,
    MANIFOLDS,
    REAL,
    SPECS,
    built,
    gradients,
    problem,
    quotients,
    sampled,
    skip_without_source,
    streams,
)

ALGEBRAIC, METRIC, WAVES = GENERATE.algebraic, GENERATE.metric, GENERATE.waves
# How much of the certified constant the steepest place found must reach. The constants are exact but for
# those listed: sums of two gradients that all but agree (0.97 and more), 495 gradients that do not agree, and
# an enclosure by intervals.
SHARE = dict.fromkeys(FORMULAS, 0.999) | {
    "ackley": 0.98,
    "rastrigin": 0.97,
    "polynomial": 0.07,
    "convac": 0.01,
}

cube = hnp.arrays(np.float64, (6, 8), elements=st.floats(-1, 1, width=32))
plane = hnp.arrays(np.float64, (6, 2), elements=st.floats(0, 1, width=32))


def places(name):
    """Where a function may be steepest: places at random, corners, and those that the proofs name."""
    d, low = FORMULAS[name]
    rng = np.random.default_rng(17)
    inner = low + 1e-4 + (1 - low - 2e-4) * rng.random((3000, d))
    corners = np.where(rng.random((300, d)) < 0.5, low + 1e-5, 1 - 1e-5)
    named = {
        "sin-2d": [[1e-5, 0.25]],
        "sin-3d": [[1e-5, 0.25, 0.75]],
        "ackley": [[0.144 / 5, 0.144 / 5]],
        "rastrigin": [[4.25 / 5.12, 4.25 / 5.12]],
    }.get(name)
    grid = np.linspace(1e-4, 1 - 1e-4, 40_001)[:, None] if name == "rough-1d" else inner
    return np.concatenate([inner, corners, grid, *([np.array(named)] if named else [])])


def test_every_instance_is_declared_as_it_is_made():
    assert list(SPECS) == list(GENERATE.PROBLEMS) == [*list(FORMULAS)[:-1], *MANIFOLDS, "convac", *REAL]
    assert {name for name, spec in SPECS.items() if spec.generated} == set(MANIFOLDS)
    assert {name for name, spec in SPECS.items() if spec.source} == set(REAL)
    assert {name for name, spec in SPECS.items() if spec.small} == {
        "polynomial",
        "hypercube",
        "distance-2d",
        "rough-1d",
    }
    assert [name for name, spec in SPECS.items() if spec.board] == [
        "polynomial",
        "hypercube",
        "distance-2d",
        "mcshane-3d",
        "rough-1d",
        "curved-k2-d64",
        "convac",
        "etopo5",
    ]
    for k in (2, 3):
        for name in ("subspace", "curved"):
            assert len({SPECS[f"{name}-k{k}-d{d}"].seed for d in (16, 64, 256)}) == 1, "they share latents"


@pytest.mark.parametrize("name", list(SPECS))
def test_the_declared_constant_is_the_certified_one_rounded_up(name):
    certified = GENERATE.lipschitz(name, SPECS[name].seed)
    if name in REAL:
        assert certified is None
        assert SPECS[name].facts == {}
    else:
        assert SPECS[name].facts.keys() == {"lipschitz"}
        assert 0 <= SPECS[name].facts["lipschitz"] - certified < 1e-6


@pytest.mark.parametrize("name", list(SPECS))
def test_files_of_an_instance(name):
    if name in REAL:
        skip_without_source(name)
    spec = SPECS[name]
    files = built(name)
    assert list(files) == [f"{name}-{split}.parquet" for split in ("train", "valid", "test")]
    parts = list(files.values())
    rows = [16384, 2048, 4096]
    if name in {"ackley", "rastrigin"}:
        rows = [11469, 1638, 3277]
    elif name in REAL:
        rows = [32768, 4096, 8192]
    assert [len(part["y"]) for part in parts] == rows
    for part in parts:
        assert {key: values.dtype for key, values in part.items()} == {
            "id": np.int64,
            "x": np.float32,
            "y": np.float32,
        }
        assert part["x"].shape == (len(part["y"]), *spec.input_shape)
        assert np.isfinite(part["x"]).all()
        assert np.isfinite(part["y"]).all()
    np.testing.assert_array_equal(np.concatenate([part["id"] for part in parts]), np.arange(sum(rows)))
    # Rows that differ by more in the first 16 features differ by more.
    seen = cKDTree(np.concatenate([part["x"][:, :16] for part in parts[:2]]).astype(np.float64))
    distances, _ = seen.query(parts[2]["x"][:, :16].astype(np.float64), p=np.inf)
    assert distances.min() > 1e-6, "a test row must not be within 1e-6 of a train or valid row"
    # The splits are of one distribution.
    train, test = parts[0]["y"].astype(np.float64), parts[2]["y"].astype(np.float64)
    assert abs(train.mean() - test.mean()) < 5 * train.std() / math.sqrt(len(test))
    assert 0.8 < test.std() / train.std() < 1.25
    kurtosis = (((test - test.mean()) / test.std()) ** 4).mean()
    assert 1.5 < kurtosis < 8, "neither two values nor one spike"


@pytest.mark.parametrize("name", [*FORMULAS, *MANIFOLDS[:6]])
def test_labels_are_the_function_of_the_inputs(name):
    files = built(name)
    function = GENERATE.target(name, SPECS[name].seed)
    for part in files.values():
        np.testing.assert_array_equal(part["y"], function(part["x"].astype(np.float64)).astype(np.float32))


@pytest.mark.parametrize("name", ["polynomial", "rough-1d", "ackley", "curved-k3-d16", "convac"])
def test_another_seed_is_another_draw(name):
    (x, y), (other_x, other_y) = sampled(name), GENERATE.problem(name, 12345).sample()
    assert not np.array_equal(x, other_x)
    assert not np.array_equal(y, other_y)


@pytest.mark.parametrize("name", list(FORMULAS))
def test_no_difference_quotient_exceeds_the_constant(name):
    function, bound = problem(name).function, SPECS[name].facts["lipschitz"]
    d, low = FORMULAS[name]
    rng = np.random.default_rng(3)
    x, z = (low + (1 - low) * rng.random((20_000, d)) for _ in range(2))
    assert quotients(function, x, z).max() <= bound
    where = places(name)
    slopes = gradients(function, where)
    length = np.sqrt((slopes**2).sum(axis=1, keepdims=True))
    ways = np.where(length > 0, slopes / np.maximum(length, 1e-300), 1 / math.sqrt(d))
    steepest = quotients(function, where - 4e-6 * ways, where + 4e-6 * ways)
    assert steepest.max() <= bound * (1 + 1e-9) + 1e-7
    assert steepest.max() >= SHARE[name] * bound


def test_monomials_are_all_and_each_once():
    monomials = ALGEBRAIC.monomials()
    assert len(monomials) == len(set(monomials)) == math.comb(8 + 4, 4) == 495
    assert all(list(m) == sorted(m) and len(m) <= 4 for m in monomials)


@pytest.mark.parametrize("seed", range(5))
def test_coefficients_sum_below_one(seed):
    coefficients = ALGEBRAIC.polynomial_coefficients(np.random.default_rng(seed))
    assert 0.99 < math.fsum(np.abs(coefficients)) < 1
    assert (coefficients < 0).any()
    assert (coefficients > 0).any()


@settings(max_examples=20, deadline=None)
@given(x=cube, seed=st.integers(0, 99))
def test_polynomial_is_the_sum_of_its_monomials(x, seed):
    coefficients = ALGEBRAIC.polynomial_coefficients(np.random.default_rng(seed))
    terms = zip(coefficients, ALGEBRAIC.monomials(), strict=True)
    expected = sum(c * np.prod(x[:, list(variables)], axis=1) for c, variables in terms)
    got = ALGEBRAIC.polynomial(coefficients, x)
    np.testing.assert_allclose(got, expected, atol=1e-14)
    assert np.abs(got).max() < 1


def test_the_bound_of_a_single_monomial_is_attained_at_the_corner():
    monomials = ALGEBRAIC.monomials()
    for variables in [(), (3,), (0, 0), (1, 4), (2, 2, 2, 7), (0, 1, 2, 3), (5, 5, 5, 5)]:
        coefficients = np.zeros(495)
        coefficients[monomials.index(variables)] = -0.5
        slope = gradients(lambda x, c=coefficients: ALGEBRAIC.polynomial(c, x), np.ones((1, 8)))
        bound = ALGEBRAIC.polynomial_lipschitz(coefficients)
        assert bound == pytest.approx(np.sqrt((slope**2).sum()), rel=1e-8, abs=1e-12)
        assert bound == 0.5 * math.sqrt(sum(a * a for a in Counter(variables).values()))


def test_hypercube_is_v_at_the_vertices():
    values = ALGEBRAIC.hypercube_values(np.random.default_rng(3))
    assert set(values) == {-1.0, 1.0}
    vertices = np.array([[1.0 if index >> i & 1 else -1.0 for i in range(8)] for index in range(256)])
    np.testing.assert_array_equal(ALGEBRAIC.hypercube(values, vertices), values)
    np.testing.assert_allclose(ALGEBRAIC.hypercube(values, np.zeros((1, 8))), values.mean(), atol=1e-15)


@settings(max_examples=20, deadline=None)
@given(x=cube, seed=st.integers(0, 99))
def test_hypercube_is_the_formula(x, seed):
    values = ALGEBRAIC.hypercube_values(np.random.default_rng(seed))
    expected = np.zeros(len(x))
    for y in itertools.product([-1, 1], repeat=8):
        vertex = sum(1 << i for i in range(8) if y[i] == 1)
        expected += values[vertex] * np.prod((1 + np.array(y) * x) / 2, axis=1)
    np.testing.assert_allclose(ALGEBRAIC.hypercube(values, x), expected, atol=1e-13)


def test_the_constant_of_the_hypercube_counts_neighbours_of_the_other_sign():
    for seed in range(5):
        values = ALGEBRAIC.hypercube_values(np.random.default_rng(seed))
        most = max(sum(values[v] != values[v ^ 1 << i] for i in range(8)) for v in range(256))
        assert ALGEBRAIC.hypercube_lipschitz(values) == math.sqrt(most)


@settings(max_examples=40, deadline=None)
@given(x=plane, z=plane, points=plane)
def test_distance_is_to_the_nearest_and_1_lipschitz(x, z, points):
    got = METRIC.distance(points, x)
    np.testing.assert_allclose(got, cdist(x, points).min(axis=1), atol=1e-12)
    between = np.hypot(*(x - z).T)
    assert (np.abs(got - METRIC.distance(points, z)) <= between + 1e-12).all()
    np.testing.assert_array_equal(METRIC.distance(points, points), 0)


@pytest.mark.parametrize("d", [2, 3])
def test_mcshane_extends_its_values(d):
    rng = streams(f"mcshane-{d}d")("target")
    points = rng.random((METRIC.ANCHORS[d], d))
    drawn = METRIC.SPREAD * rng.random(len(points))
    values = METRIC.consistent(points, drawn)
    assert (values <= drawn).all()
    assert len(points) / 4 < (values == drawn).sum() < len(points), "some are lowered, many are not"
    steps = np.abs(values[:, None] - values)
    assert (steps <= cdist(points, points) + 1e-15).all()
    function = problem(f"mcshane-{d}d").function
    np.testing.assert_allclose(function(points), values, rtol=0, atol=1e-15)
    x = np.random.default_rng(9).random((200, d))
    np.testing.assert_allclose(function(x), (values + cdist(x, points)).min(axis=1), atol=1e-14)
    np.testing.assert_allclose(function(x), (drawn + cdist(x, points)).min(axis=1), atol=1e-14)
    deciding = (values + cdist(np.random.default_rng(10).random((5000, d)), points)).argmin(axis=1)
    assert len(set(deciding)) > len(points) / 5, "many points have a cell of their own"


@settings(max_examples=40, deadline=None)
@given(points=plane, drawn=hnp.arrays(np.float64, 6, elements=st.floats(-3, 3, width=32)))
def test_lowered_values_are_the_largest_consistent_ones(points, drawn):
    values = METRIC.consistent(points, drawn)
    distances = cdist(points, points)
    assert (np.abs(values[:, None] - values) <= distances + 1e-12).all()
    # Each is as drawn, or is held down by another.
    held = (values[:, None] >= values + distances - 1e-12) & ~np.eye(6, dtype=bool)
    assert ((values == drawn) | held.any(axis=1)).all()


@pytest.mark.parametrize("d", [2, 3])
def test_sines_are_sines(d):
    x = np.random.default_rng(11).random((500, d))
    np.testing.assert_allclose(WAVES.sines(x), np.prod(np.sin(2 * np.pi * x), axis=1), atol=1e-15)


def test_the_rough_function_in_rational_numbers():
    phases = streams("rough-1d")("target").random(9)
    function = problem("rough-1d").function
    for x in np.random.default_rng(12).integers(0, 2**18, 100).tolist():
        total = Fraction(0)
        for k, phase in enumerate(phases.tolist()):
            turns = 2**k * Fraction(x, 2**18) + Fraction(phase)
            total += Fraction(3, 4) ** k * min(turns % 1, 1 - turns % 1)
        assert function(np.array([[x / 2**18]]))[0] == pytest.approx(float(total), abs=1e-14)
    assert WAVES.rough_lipschitz() == sum(Fraction(3, 2) ** k for k in range(9)) == 74.88671875


@pytest.mark.parametrize("seed", range(5))
def test_the_slopes_of_the_rough_function_add_up_somewhere_for_any_phases(seed):
    """Of the pieces between breaks, 1 / 2^9 have every wave rising."""
    phases = np.random.default_rng(seed).random(9)
    breaks = np.sort(np.concatenate([(np.arange(2 ** (k + 1)) / 2 - phases[k]) / 2**k % 1 for k in range(9)]))
    ends = np.append(breaks, breaks[0] + 1)
    middles, lengths = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    rising = np.all([(2**k * middles + phases[k]) % 1 < 0.5 for k in range(9)], axis=0)
    assert lengths[rising].sum() == pytest.approx(2**-9)
    step = lengths[rising].max() / 4
    at = middles[rising][lengths[rising].argmax()] + step * np.array([[-1.0], [1.0]])
    low, high = WAVES.rough(phases, at)
    assert (high - low) / (2 * step) == pytest.approx(74.88671875, rel=1e-6)


def test_the_functions_on_grids():
    grid = GENERATE.grids.grid()
    assert grid.shape == (128 * 128, 2)
    assert len(np.unique(grid, axis=0)) == 128 * 128
    np.testing.assert_array_equal(np.unique(grid), (np.arange(128) + 0.5) / 64 - 1)
    for name in ("ackley", "rastrigin"):
        x, _ = sampled(name)
        np.testing.assert_array_equal(np.unique(x, axis=0), np.unique(grid, axis=0))
    x = np.random.default_rng(13).uniform(-1, 1, (200, 2))
    for row, got in zip(x, GENERATE.grids.ackley(x), strict=True):
        a, b = 5 * row
        funnel = -20 * math.exp(-0.2 * math.sqrt(0.5 * (a * a + b * b)))
        ripples = -math.exp(0.5 * (math.cos(2 * math.pi * a) + math.cos(2 * math.pi * b)))
        assert got == pytest.approx(funnel + ripples + 20 + math.e, abs=1e-13)
    for row, got in zip(x, GENERATE.grids.rastrigin(x), strict=True):
        expected = 20 + sum((5.12 * v) ** 2 - 10 * math.cos(2 * math.pi * 5.12 * v) for v in row)
        assert got == pytest.approx(expected, abs=1e-12)
    assert GENERATE.grids.ackley(np.zeros((1, 2)))[0] == pytest.approx(0, abs=1e-14)
    assert GENERATE.grids.rastrigin(np.zeros((1, 2)))[0] == 0
