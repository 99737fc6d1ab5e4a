"""Errors and qualities, by hand and by property; ``accuracy`` has a file of its own."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sparsebench.errors import FailedError, InvalidResultError, NotFoundError, UsageError
from sparsebench.scoring import METRICS, best_constant_recall, most_recalled, score_predictions

labels = hnp.arrays(np.float64, st.integers(2, 40), elements=st.floats(-1e3, 1e3, width=32))
coarse = hnp.arrays(
    np.float64, st.integers(1, 30), elements=st.sampled_from([0.0, 1e-6, 2e-6, 3e-6, 5e-6, 7.0])
)
OF_REALS = ("nmse", "recall")


def test_recall_by_hand():
    y = np.array([0.0, 1.0, 2.0, 3.0], dtype=np.float32)
    scores = score_predictions("recall", y, np.array([0.0, 1.0, 2.0, 9.0], dtype=np.float32))
    assert scores.error == 0.25
    assert scores.extras == {"recall": 0.75}
    assert scores.quality == (3 - 1) / (4 - 1)


def test_recall_tolerance_is_relative_above_one_and_absolute_below():
    y = np.array([1000.0, 0.001, -5.0])
    near = y + np.array([0.9e-3, 0.9e-6, 4.9e-6])
    far = y + np.array([1.1e-3, 1.1e-6, 5.1e-6])
    assert score_predictions("recall", y, near).extras["recall"] == 1.0
    assert score_predictions("recall", y, far).extras["recall"] == 0.0


def test_recall_of_the_best_constant_has_quality_zero_and_perfect_has_one():
    y = np.array([5.0, 5.0, 1.0, 2.0])
    assert score_predictions("recall", y, np.full(4, 5.0)).quality == 0.0
    assert score_predictions("recall", y, np.full(4, 1.0)).quality == 0.0
    assert score_predictions("recall", y, y).quality == 1.0


def test_best_constant_may_be_no_label_itself():
    # 0 and 1.5e-6 are not within one another's tolerance of 1e-6, but 0.75e-6 is right for both.
    assert best_constant_recall([0.0, 1.5e-6, 9.0]) == 2 / 3


@given(coarse)
def test_best_constant_agrees_with_trying_every_interval_end(y):
    tolerance = 1e-6 * np.maximum(1, np.abs(y))
    low, high = y - tolerance, y + tolerance
    tried = max(int(np.sum((low <= c) & (c <= high))) for c in np.concatenate((low, high, y)))
    assert best_constant_recall(y) == tried / len(y)


@given(coarse, st.floats(-10, 10))
def test_no_constant_has_quality(y, constant):
    if best_constant_recall(y) < 1:
        assert score_predictions("recall", y, np.full(len(y), constant)).quality == 0.0


def test_nmse_by_hand():
    y = np.array([0.0, 2.0], dtype=np.float32)  # variance 1
    scores = score_predictions("nmse", y, np.array([0.5, 2.0]))
    assert scores.error == 0.125
    assert scores.extras == {"rmse": math.sqrt(0.125), "nrmse": math.sqrt(0.125), "sup_error": 0.5}
    assert scores.quality == 1 - math.sqrt(0.125)


def test_nmse_of_the_mean_is_one_and_worse_is_never_below_quality_zero():
    y = np.array([0.0, 2.0, 4.0])
    mean = score_predictions("nmse", y, np.full(3, 2.0))
    assert (mean.error, mean.quality) == (1.0, 0.0)
    assert score_predictions("nmse", y, y + 100).quality == 0.0


@given(labels, st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_rows(y, random):
    prediction = y + 0.25 * np.cos(np.arange(len(y)))
    order = list(range(len(y)))
    random.shuffle(order)
    for metric in OF_REALS:
        if np.ptp(y) > 1:
            assert score_predictions(metric, y, prediction) == score_predictions(
                metric, y[order], prediction[order]
            )


@given(labels, st.floats(0, 100))
def test_quality_is_in_the_unit_interval_and_error_is_finite(y, spread):
    if np.ptp(y) > 1:
        for metric in OF_REALS:
            scores = score_predictions(metric, y, y + spread * np.sin(np.arange(len(y))))
            assert 0 <= scores.quality <= 1
            assert math.isfinite(scores.error)
            assert scores.error >= 0


@settings(max_examples=30)
@given(labels)
def test_float32_predictions_are_scored_in_float64(y):
    if np.ptp(y) > 1:
        exact = y.astype(np.float32)
        assert score_predictions("nmse", exact, exact).error == 0.0
        scores = score_predictions("nmse", exact, exact + np.float32(3.0))
        residual = (exact + np.float32(3.0)).astype(np.float64) - exact.astype(np.float64)
        assert scores.extras["rmse"] == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-14)


@pytest.mark.parametrize("metric", METRICS)
def test_wrong_shape_names_both_shapes(metric):
    with pytest.raises(FailedError, match=r"predict returned shape \(256, 1\), expected \(256,\)"):
        score_predictions(metric, np.arange(256), np.zeros((256, 1)))


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, np.complex128, np.longdouble, object])
def test_wrong_dtype_is_a_failed_cell(dtype):
    with pytest.raises(FailedError, match="expected float32 or float64"):
        score_predictions("nmse", np.arange(3.0), np.zeros(3, dtype=dtype))


@pytest.mark.parametrize("dtype", [np.bool_, np.complex64, np.longdouble, object])
@pytest.mark.parametrize("metric", ["accuracy", "recall"])
def test_wrong_dtype_is_a_failed_cell_where_integers_are_right(metric, dtype):
    with pytest.raises(FailedError, match="expected integers, float32 or float64") as caught:
        score_predictions(metric, np.arange(3), np.zeros(3, dtype=dtype))
    assert "xp.int64" in caught.value.help


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64, np.uint64, np.float32, np.float64])
def test_integers_are_recalled_as_the_floats_that_they_are(dtype):
    y = np.arange(4.0, dtype=np.float32)
    assert score_predictions("recall", y, np.array([0, 1, 2, 9], dtype)).extras == {"recall": 0.75}


def test_something_that_is_no_array_is_a_failed_cell():
    with pytest.raises(FailedError, match="predict returned list, expected an array"):
        score_predictions("recall", np.arange(3.0), [0.0, 1.0, 2.0])


@pytest.mark.parametrize("metric", METRICS)
def test_nan_and_infinity_are_invalid_and_nothing_tells_where(metric):
    prediction = np.zeros(10)
    prediction[[2, 5]] = np.nan
    prediction[7] = -np.inf
    with pytest.raises(InvalidResultError, match="not finite") as caught:
        score_predictions(metric, np.arange(10), prediction)
    assert not any(character.isdigit() for character in caught.value.what + caught.value.help)


@pytest.mark.parametrize("value", [1e200, -1.7e308])
def test_a_finite_prediction_without_a_finite_error_is_invalid(value):
    with pytest.raises(InvalidResultError, match="predictions are off by up to"):
        score_predictions("nmse", np.arange(2.0), np.array([value, 0.0]))


@pytest.mark.parametrize("metric", METRICS)
def test_labels_that_one_constant_fits_are_the_tasks_fault(metric):
    with pytest.raises(UsageError, match="needs labels that differ"):
        score_predictions(metric, np.full(7, 3), np.zeros(7))


def test_no_labels_and_no_such_metric():
    with pytest.raises(UsageError, match="no labels"):
        score_predictions("recall", np.zeros(0), np.zeros(0))
    with pytest.raises(NotFoundError, match="unknown metric 'mse'") as caught:
        score_predictions("mse", np.arange(3.0), np.arange(3.0))
    assert caught.value.help == "metrics: accuracy, nmse, recall"


@given(y=coarse)
def test_the_most_recalled_number_recalls_what_the_best_constant_does(y):
    if best_constant_recall(y) < 1:  # else the metric has no scale, and refuses
        answer = np.full(len(y), most_recalled(y))
        assert score_predictions("recall", y, answer).extras["recall"] == best_constant_recall(y)
    else:
        assert most_recalled(y) == np.max(y - 1e-6 * np.maximum(1.0, np.abs(y)))
