"""Accuracy, averaged over domains: by hand, against fractions, and by property."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.scoring import score_predictions


@st.composite
def cases(draw, classes=4, domains=3):
    """Draw labels, predictions and tags of one length; at least two labels differ."""
    n = draw(st.integers(2, 40))
    column = lambda most: st.lists(st.integers(0, most - 1), min_size=n, max_size=n)  # noqa: E731
    y = draw(column(classes).filter(lambda labels: len(set(labels)) > 1))
    return np.array(y), np.array(draw(column(classes))), np.array(draw(column(domains)))


def macro(y, prediction, tag):
    """Average the shares right over domains, in fractions."""
    shares = [
        Fraction(int(np.sum(y[tag == one] == prediction[tag == one])), int(np.sum(tag == one)))
        for one in set(tag.tolist())
    ]
    return sum(shares) / len(shares)


def test_by_hand():
    y, tag = np.array([0, 1, 1, 2]), np.array([5, 5, 5, 9])
    scores = score_predictions("accuracy", y, np.array([0, 1, 0, 0]), tag)
    assert scores.extras == {"accuracy": 1 / 3}  # the mean of 2/3 and 0
    assert scores.error == 2 / 3
    assert scores.quality == 0.0  # the constant 2 is right for half: 0 and 1
    assert score_predictions("accuracy", y, np.array([0, 1, 1, 0]), tag).quality == 0.0
    assert (
        score_predictions("accuracy", y, np.array([0, 1, 0, 2]), tag).quality == 2 / 3
    )  # (5/6 - 1/2) / (1/2)


def test_without_tags_it_is_the_plain_share():
    y = np.array([0, 1, 1, 2])
    scores = score_predictions("accuracy", y, np.array([0, 1, 1, 0]))
    assert scores == (0.25, 0.5, {"accuracy": 0.75})


@given(cases())
def test_it_is_the_mean_over_domains_rounded_once(case):
    y, prediction, tag = case
    exact = macro(y, prediction, tag)
    best = max(macro(y, np.full(len(y), one), tag) for one in set(y.tolist()))
    scores = score_predictions("accuracy", y, prediction, tag)
    assert scores.extras == {"accuracy": float(exact)}
    assert scores.error == float(1 - exact)
    assert scores.quality == float(max(Fraction(0), (exact - best) / (1 - best)))


@given(cases(), st.randoms(use_true_random=False))
def test_nothing_depends_on_the_order_of_rows_or_the_names_of_domains(case, random):
    y, prediction, tag = case
    order = list(range(len(y)))
    random.shuffle(order)
    scores = score_predictions("accuracy", y, prediction, tag)
    assert score_predictions("accuracy", y[order], prediction[order], 7 - tag[order]) == scores


@given(cases())
def test_a_constant_has_quality_zero_and_the_labels_one(case):
    y, prediction, tag = case
    assert score_predictions("accuracy", y, y, tag) == (0.0, 1.0, {"accuracy": 1.0})
    assert score_predictions("accuracy", y, np.full(len(y), prediction[0]), tag).quality == 0.0


@given(cases())
def test_domains_of_one_size_weigh_as_rows_do(case):
    y, prediction, _ = case
    twice, tag = np.tile(y, 2), np.repeat([0, 1], len(y))
    pooled = score_predictions("accuracy", twice, np.tile(prediction, 2))
    assert score_predictions("accuracy", twice, np.tile(prediction, 2), tag) == pooled


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint64, np.float32, np.float64])
def test_integers_and_floats_are_the_same_answers(dtype):
    y = np.array([0, 1, 2, 3])
    assert score_predictions("accuracy", y, np.array([0, 1, 2, 0], dtype)).error == 0.25


def test_a_number_between_two_classes_is_neither():
    assert score_predictions("accuracy", np.array([0, 1]), np.array([0.5, 1.0])).error == 0.5


def test_labels_beyond_what_a_float_holds_are_compared_as_integers():
    y = np.array([2**60, 2**60 + 1])
    assert score_predictions("accuracy", y, np.array([2**60, 2**60])).error == 0.5


def test_what_is_wrong_with_the_task_is_told():
    y = np.array([0, 1])
    with pytest.raises(UsageError, match="needs integer labels, got float64"):
        score_predictions("accuracy", y + 0.0, y)
    with pytest.raises(UsageError, match="no labels to score"):
        score_predictions("accuracy", y[:0], y[:0])
    for tag in (np.zeros(3, np.int64), np.zeros((2, 1), np.int64), np.zeros(2)):
        with pytest.raises(UsageError, match=r"expected integer tags of shape \(2,\), got shape"):
            score_predictions("accuracy", y, y, tag)
