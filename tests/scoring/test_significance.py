"""Intervals, paired tests, Holm's correction and shared ranks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sparsebench.errors import UsageError
from sparsebench.scoring import Rank, holm, paired_t_test, rank_groups, t_half_width, t_interval

scores = st.floats(0, 1).map(lambda x: round(x, 6))
samples = st.lists(scores, min_size=2, max_size=20)
pairs = st.lists(st.tuples(scores, scores), min_size=2, max_size=20)


def test_interval_by_hand():
    # mean 3, sd sqrt(2.5), t(4) = 2.7764451
    interval = t_interval([1, 2, 3, 4, 5])
    half = 2.7764451051977987 * math.sqrt(2.5) / math.sqrt(5)
    assert interval.mean == 3.0
    assert interval.low == pytest.approx(3 - half, rel=1e-12)
    assert interval.high == pytest.approx(3 + half, rel=1e-12)


@given(samples, st.sampled_from([0.8, 0.95, 0.99]))
def test_interval_agrees_with_scipy(values, level):
    interval = t_interval(values, level)
    if np.ptp(values) > 0:
        low, high = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
        assert interval.low == pytest.approx(low, abs=1e-9)
        assert interval.high == pytest.approx(high, abs=1e-9)
    else:
        assert interval.low == pytest.approx(interval.high, abs=1e-12)


def test_coverage_of_the_interval_over_five_seeds():
    draws = np.random.default_rng(7).normal(size=(2000, 5))
    covered = sum(low <= 0 <= high for _, low, high in map(t_interval, draws))
    assert 0.93 < covered / 2000 < 0.97


def test_one_value_has_no_interval_and_none_has_no_mean():
    assert t_interval([0.5]) == (0.5, None, None)
    assert t_half_width([]) is None
    with pytest.raises(UsageError, match="no values"):
        t_interval([])


@pytest.mark.parametrize("level", [0, 1, -1, math.nan])
def test_level_outside_the_unit_interval(level):
    with pytest.raises(UsageError, match="expected 0 < level < 1"):
        t_interval([1, 2], level)


@pytest.mark.parametrize("values", [[math.nan, 1], [math.inf, 1], [[1, 2], [3, 4]]])
def test_values_must_be_one_row_of_numbers(values):
    with pytest.raises(UsageError, match="one row of finite numbers"):
        t_interval(values)


@given(pairs)
def test_paired_test_agrees_with_scipy(sample):
    a, b = np.array(sample).T
    ours = paired_t_test(a, b)
    assert ours.difference == pytest.approx(float(np.mean(a - b)), abs=1e-12)
    assert ours.pairs == len(sample)
    if np.std(a - b) > 1e-7:
        assert ours.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-6, abs=1e-12)


@given(pairs)
def test_paired_test_is_antisymmetric(sample):
    a, b = np.array(sample).T
    forth, back = paired_t_test(a, b), paired_t_test(b, a)
    assert forth.p == pytest.approx(back.p, rel=1e-9)
    assert forth.difference == pytest.approx(-back.difference, abs=1e-15)


def test_limits_of_the_paired_test():
    same = np.array([0.1, 0.2, 0.3])
    assert paired_t_test(same, same) == (0.0, 1.0, 3)
    assert paired_t_test(same, same + np.array([1e-17, 0, 5e-14])).p == 1.0  # rounding is no evidence
    assert paired_t_test([0.5, 0.75, 1.0], [0.25, 0.5, 0.75]) == (0.25, 0.0, 3)
    assert paired_t_test([0.9], [0.1]).p == 1.0
    assert paired_t_test([], []) == (0.0, 1.0, 0)


def test_unequal_lengths_are_refused():
    with pytest.raises(UsageError, match="got 2 and 3 values"):
        paired_t_test([1, 2], [1, 2, 3])


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.5]), [0.04, 0.09, 0.09, 0.5])
    np.testing.assert_allclose(holm([0.6, 0.9]), [1.0, 1.0])
    assert holm([]).shape == (0,)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_monotone_and_between_raw_and_bonferroni(p):
    adjusted = holm(p)
    order = np.argsort(p, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (adjusted >= np.array(p)).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p))).all()
    assert adjusted[order[0]] == min(1.0, len(p) * min(p))


def test_holm_refuses_what_is_no_probability():
    with pytest.raises(UsageError, match="outside"):
        holm([0.5, 1.5])


def test_ranks_by_hand():
    # 0 beats all; 1 and 2 are tied; 3 loses to 1 only
    beats = np.zeros((4, 4), dtype=bool)
    beats[0, 1:] = True
    beats[1, 3] = True
    assert rank_groups(beats) == [Rank(1, 1), Rank(2, 3), Rank(2, 4), Rank(3, 4)]
    assert rank_groups([]) == []
    assert rank_groups([[False]]) == [Rank(1, 1)]


@given(st.data(), st.integers(1, 7))
def test_ranks_are_ordered_and_winners_stand_above(data, n):
    beats = np.zeros((n, n), dtype=bool)
    for i in range(n):
        for j in range(i):
            outcome = data.draw(st.sampled_from([None, (i, j), (j, i)]))
            if outcome is not None:
                beats[outcome] = True
    ranks = rank_groups(beats)
    assert all(1 <= rank.best <= rank.worst <= n for rank in ranks)
    assert [n - rank.worst for rank in ranks] == beats.sum(axis=1).tolist()
    assert [rank.best - 1 for rank in ranks] == beats.sum(axis=0).tolist()


def test_tables_that_cannot_be_comparisons_are_refused():
    with pytest.raises(UsageError, match="beat one another"):
        rank_groups([[False, True], [True, False]])
    with pytest.raises(UsageError, match="expected"):
        rank_groups([[False, True]])
