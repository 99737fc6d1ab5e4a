"""The instances that version 2 of lipschitz-regression adds: the largest of 64 affine functions."""

from __future__ import annotations

import importlib
import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import kstest

from sparsebench.tasks.importing import imported_generator
from sparsebench.tasks.standard import read_spec, tasks_root

FOLDER = tasks_root() / "lipschitz-regression" / "v2"
SPECS = {
    name: spec
    for name, spec in read_spec(FOLDER, draft=True).instances.items()
    if name.startswith("max-affine")
}
with imported_generator(FOLDER) as GENERATE:
    AFFINE = importlib.import_module("affine")
every_instance = pytest.mark.parametrize("name", list(SPECS))


@pytest.fixture(scope="module")
def built():
    return {name: GENERATE.build(spec) for name, spec in SPECS.items()}


def target(name):
    return GENERATE.target(SPECS[name])


def whole(files, column):
    return np.concatenate([columns[column] for columns in files.values()])


@every_instance
def test_files_are_as_the_manifest_says(built, name):
    files, d = built[name], SPECS[name].input_shape[0]
    assert d == int(name.removeprefix("max-affine-d"))
    assert list(files) == list(SPECS[name].splits.values()) == list(SPECS[name].files)
    for columns, rows in zip(files.values(), (16384, 2048, 4096), strict=True):
        assert {key: (values.dtype, values.shape) for key, values in columns.items()} == {
            "id": (np.int64, (rows,)),
            "x": (np.float32, (rows, d)),
            "y": (np.float32, (rows,)),
        }
    np.testing.assert_array_equal(whole(files, "id"), np.arange(22_528))


@every_instance
def test_the_facts_are_those_of_the_target(name):
    facts, d = SPECS[name].facts, SPECS[name].input_shape[0]
    assert 0 <= facts["lipschitz"] - target(name).lipschitz() < 1e-6
    assert facts["pieces"] == AFFINE.PIECES == len(target(name).slopes) == 64
    assert facts["oracle_operations"] == AFFINE.oracle_operations(d) == 64 * 2 * d + 63


@every_instance
def test_every_piece_is_hit_by_half_a_percent_of_each_split(built, name):
    """At least 32 were asked for; offsets are balanced, so all 64 are, and by 1 % of all rows."""
    for columns in built[name].values():
        hits = np.bincount(target(name).pieces(columns["x"].astype(np.float64)), minlength=64)
        assert hits.min() >= 0.005 * len(columns["x"])
    x = whole(built[name], "x").astype(np.float64)
    hits = np.bincount(target(name).pieces(x), minlength=64) / len(x)
    assert 0.01 < hits.min() <= hits.max() < 0.023


@every_instance
def test_labels_are_the_formula_in_rational_numbers(built, name):
    f = target(name)
    test = list(built[name].values())[2]
    for row, label in zip(test["x"][:6].tolist(), test["y"][:6], strict=True):
        exact = max(
            sum(Fraction(int(a), f.unit) * Fraction(v) for a, v in zip(slope, row, strict=True))
            + Fraction(int(b), f.unit * AFFINE.INPUT_UNIT)
            for slope, b in zip(f.slopes, f.offsets, strict=True)
        )
        assert f(np.array([row]))[0] == exact, "no rounding"
        assert label == np.float32(float(exact))


@every_instance
def test_no_order_of_summation_changes_a_score(name):
    """All numbers are integers over one power of two, and no partial sum reaches 2^53."""
    f, d = target(name), SPECS[name].input_shape[0]
    largest = SPECS[name].input_shape[0] * np.abs(f.slopes).max() * AFFINE.SUMMANDS * ((1 << 16) - 1) // 2
    assert largest + np.abs(f.offsets).max() < 2**53
    x = AFFINE.normal_inputs(np.random.default_rng(5), 300, d).astype(np.float64)
    order = np.random.default_rng(6).permutation(d)
    slow = np.zeros((300, 64))
    for feature in order:
        slow += x[:, feature, None] * f.slopes[:, feature]
    np.testing.assert_array_equal((slow + f.offsets / AFFINE.INPUT_UNIT) / f.unit, f.scores(x))


@every_instance
def test_the_constant_is_attained_and_never_exceeded(built, name):
    f, x = target(name), whole(built[name], "x").astype(np.float64)
    rng = np.random.default_rng(3)
    pairs = rng.permutation(len(x))[: 2 * (len(x) // 2)].reshape(2, -1)
    a, b = x[pairs[0]], x[pairs[1]]
    apart = np.sqrt(((a - b) ** 2).sum(axis=1))
    assert (np.abs(f(a) - f(b)) / apart).max() <= f.lipschitz()
    # Where the steepest piece is the largest by a margin, f rises along its slope by all of its length.
    steepest = (f.slopes**2).sum(axis=1).argmax()
    scores = f.scores(x)
    ranked = np.sort(scores, axis=1)
    at = x[(scores.argmax(axis=1) == steepest) & (ranked[:, -1] - ranked[:, -2] > 0.01)][:1]
    slope = f.slopes[steepest] / f.unit
    step = 1e-3 * slope / math.sqrt((slope**2).sum())
    assert (f(at + step) - f(at - step))[0] / 2e-3 == pytest.approx(f.lipschitz(), rel=1e-9)


@every_instance
def test_inputs_are_normal_but_for_what_16_summands_leave(built, name):
    x = whole(built[name], "x").astype(np.float64)
    np.testing.assert_array_equal(x * 2**17, np.rint(x * 2**17))  # so unequal rows are far enough apart
    assert len(np.unique(x, axis=0)) == len(x)
    assert np.abs(x).max() < 4
    assert x.var() == pytest.approx(1 / 3, rel=5 * math.sqrt(2 / x.size))
    assert kstest(x.reshape(-1)[:20_000] * math.sqrt(3), "norm").pvalue > 1e-3
    correlations = np.corrcoef(x.T) - np.eye(x.shape[1])
    assert np.abs(correlations).max() < 5 / math.sqrt(len(x))
    # The excess of a sum's kurtosis is that of its summands, -6/5, divided by their number.
    excess = (x**4).mean() / x.var() ** 2 - 3
    assert excess == pytest.approx(-1.2 / 16, abs=5 * math.sqrt(24 / x.size))


@every_instance
def test_slopes_come_in_groups(name):
    slopes = target(name).slopes.reshape(8, 8, -1)
    centred = slopes - slopes.mean(axis=1, keepdims=True)
    within, between = (centred**2).sum() / (8 * 7), (slopes.mean(axis=1) ** 2).sum() / 8
    assert 2 < between / within < 8, "four times the variance, and an eighth of its own"


def test_balancing_gives_each_piece_its_share():
    f = target("max-affine-d16")
    x = AFFINE.normal_inputs(np.random.default_rng(8), 4096, 16).astype(np.float64)
    raw = AFFINE.MaxAffine(f.slopes, np.zeros(64, dtype=np.int64), f.unit)
    before = np.bincount(raw.pieces(x), minlength=64)
    after = np.bincount(AFFINE.MaxAffine(f.slopes, AFFINE.balanced(raw, x), f.unit).pieces(x), minlength=64)
    assert before.min() < 16
    assert before.max() > 128
    assert np.abs(after - 64).max() <= 8


def test_another_seed_is_another_draw(built):
    other = GENERATE.build(SimpleNamespace(name="max-affine-d16", seed=99, input_shape=(16,)))
    for file, columns in built["max-affine-d16"].items():
        assert (other[file]["x"] != columns["x"]).any()
        assert (other[file]["y"] != columns["y"]).any()
