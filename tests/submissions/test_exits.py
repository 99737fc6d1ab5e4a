"""What models with exits promise: costs differ from input to input, and answers know of no neighbours."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import networks
from exits import error_head, surest, threshold
from sparsebench.models import find_submission
from sparsebench.tasks import TaskInfo
from submissions.formulas import expected
from submissions.shipped import ROOT, columns, make, metered, split
from submissions.sizes import Sizes

REAL = TaskInfo("lipschitz-regression@1", "nmse", (3,), "float32")
CLASSES = TaskInfo("routed-classification@1", "accuracy", (3,), "int64", 4)
TASKS = {"real": REAL, "classes": CLASSES}
SETTINGS = {
    "early-exit": [{"leave": share} for share in (1.0, 0.8, 0.4, 0.0)],
    "cascade": [{"unsure": share} for share in (0.0, 0.2, 0.6, 1.0)],
}
BETWEEN = [(name, kind) for name in ("early-exit", "cascade") for kind in TASKS]


def data(kind, n, seed):
    """Something that is easy on one side of the cube, and hard on the other."""
    x = np.random.default_rng(seed).uniform(-1, 1, (n, 3))
    height = np.where(x[:, 0] > 0, np.sin(4 * x[:, 1]) * np.sin(4 * x[:, 2]), 0.1 * x[:, 1])
    return split(x, height if kind == "real" else 2 * (x[:, 0] > 0) + (height > 0))


@functools.cache
def fitted(name, kind):
    train, valid = data(kind, 512, 0), data(kind, 300, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "BUDGET", 1e9)  # that of the cascade's networks
        return make(name, TASKS[kind], **SETTINGS[name][0]).fit(train, valid, np.random.default_rng(0))


def variants(name, kind):
    return [make(name, TASKS[kind], **settings) for settings in SETTINGS[name]]


def prices(name, kind, settings, params, x):
    sizes = Sizes(512, 3, TASKS[kind].classes or 0)
    return np.array([expected(name, settings, sizes, params, row)["ops"] for row in x])


@pytest.mark.parametrize("name", SETTINGS)
def test_variants_have_settings_that_are_tested_here(name):
    shipped = [variant.settings for variant in find_submission(str(ROOT / name)).variants()]
    assert len(shipped) > 2
    assert all(settings in SETTINGS[name] for settings in shipped)


@pytest.mark.parametrize(("name", "kind"), BETWEEN)
def test_most_inputs_cost_less_than_the_mean_and_some_much_more(name, kind):
    x = data(kind, 400, 2).x
    means = []
    for settings in SETTINGS[name][1:-1]:
        ops = prices(name, kind, settings, fitted(name, kind), x)
        assert np.quantile(ops, 0.95) > 1.2 * ops.mean()
        means.append(ops.mean())
    assert means[1] > 1.3 * means[0]


@pytest.mark.parametrize(("name", "kind"), BETWEEN)
def test_shares_of_the_validation_inputs_that_leave_are_those_asked_for(name, kind):
    valid, params = data(kind, 300, 1), fitted(name, kind)
    for settings in SETTINGS[name][1:-1]:
        share = settings.get("leave", 1 - settings.get("unsure", 0))
        ops = prices(name, kind, settings, params, valid.x)
        assert np.mean(ops == ops.min()) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(("name", "kind"), BETWEEN)
def test_who_leaves_at_once_gets_the_first_answer_and_who_never_does_the_last(name, kind):
    x, params = data(kind, 100, 3).x, fitted(name, kind)
    first, *between, last = variants(name, kind)
    ends = first.predict(params, x), last.predict(params, x)
    assert not np.array_equal(*ends)
    for model in between:
        for sure, answers in zip((-np.inf, np.inf), ends, strict=True):
            moved = params | {"thresholds": np.full_like(params["thresholds"], sure)}
            np.testing.assert_array_equal(model.predict(moved, x), answers)


@pytest.mark.parametrize(("name", "kind"), BETWEEN)
def test_what_an_input_gets_and_costs_does_not_depend_on_those_beside_it(name, kind):
    x, params = data(kind, 24, 4).x, fitted(name, kind)
    for model in variants(name, kind)[1:-1]:
        together = metered(model, params, x)
        apart = [metered(model, params, part) for part in np.split(x[::-1], [1, 8])]
        np.testing.assert_array_equal(np.concatenate([own.answers for own in apart])[::-1], together.answers)
        for column in ("ops", "ops_add_mul_cmp", "lookups", "macs"):
            assert sum(columns(own)[column] for own in apart) == columns(together)[column]


def test_later_exits_of_the_network_are_better():
    test, params = data("real", 500, 5), fitted("early-exit", "real")
    errors = [np.mean((m.predict(params, test.x) - test.y) ** 2) for m in variants("early-exit", "real")]
    assert errors[-1] < 0.7 * errors[0]


def test_the_dear_model_is_asked_where_the_cheap_one_is_wrong():
    test, params = data("real", 500, 5), fitted("cascade", "real")
    errors = [np.mean((m.predict(params, test.x) - test.y) ** 2) for m in variants("cascade", "real")]
    cheap, some, _, dear = errors
    assert cheap - some > 1.5 * 0.2 * (cheap - dear)  # a fifth at random would gain a fifth


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(2, 12))
def test_the_surest_class_is_the_largest_logit_and_its_lead(seed, n, classes):
    logits = np.random.default_rng(seed).standard_normal((n, classes))
    found, lead = surest(logits)
    ranked = np.sort(logits, axis=1)
    np.testing.assert_array_equal(found, np.argmax(logits, axis=1))
    np.testing.assert_array_equal(lead, ranked[:, -1] - ranked[:, -2])


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=40, unique=True), st.floats(0, 1))
def test_a_threshold_is_exceeded_by_its_share(confidence, share):
    surer = np.mean(np.array(confidence) > threshold(np.array(confidence, dtype=float), share))
    assert abs(surer - share) <= 1 / len(confidence) + 1e-9


def test_all_leave_where_none_has_come():
    assert threshold(np.zeros(0), 0.5) == -np.inf


def test_the_doubt_is_the_squared_error_to_be_expected():
    rng = np.random.default_rng(0)
    seen = rng.uniform(0, 1, (40_000, 3))
    errors = rng.standard_normal(len(seen)) * np.sqrt(0.5 + seen @ [1.0, 2.0, 0.0])
    np.testing.assert_allclose(error_head(seen, errors), [-1, -2, 0, -0.5], atol=0.1)


def test_features_that_are_all_zero_leave_the_mean():
    head = error_head(np.zeros((5, 2)), np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    np.testing.assert_allclose(head, [0, 0, -11], rtol=1e-2)
