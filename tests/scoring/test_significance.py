"""Half-widths of intervals, Holm's correction and shared ranks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sparsebench.errors import UsageError
from sparsebench.scoring import Rank, holm, rank_groups, t_half_width

scores = st.floats(0, 1).map(lambda x: round(x, 6))
samples = st.lists(scores, min_size=2, max_size=20)


def test_half_width_by_hand():
    # sd sqrt(2.5), t(4) = 2.7764451
    assert t_half_width([1, 2, 3, 4, 5]) == pytest.approx(2.7764451051977987 * math.sqrt(2.5 / 5), rel=1e-12)


@given(samples, st.sampled_from([0.8, 0.95, 0.99]))
def test_half_width_agrees_with_scipy(values, level):
    half = t_half_width(values, level)
    if np.ptp(values) > 0:
        low, high = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
        assert half == pytest.approx((high - low) / 2, abs=1e-9)
    else:
        assert half == pytest.approx(0.0, abs=1e-12)


def test_coverage_of_the_interval_over_five_seeds():
    draws = np.random.default_rng(7).normal(size=(2000, 5))
    covered = sum(abs(np.mean(values)) <= t_half_width(values) for values in draws)
    assert 0.93 < covered / 2000 < 0.97


def test_one_value_has_no_interval():
    assert t_half_width([0.5]) is t_half_width([]) is None


@pytest.mark.parametrize("level", [0, 1, -1, math.nan])
def test_level_outside_the_unit_interval(level):
    with pytest.raises(UsageError, match="expected 0 < level < 1"):
        t_half_width([1, 2], level)


@pytest.mark.parametrize("values", [[math.nan, 1], [math.inf, 1], [[1, 2], [3, 4]]])
def test_values_must_be_one_row_of_numbers(values):
    with pytest.raises(UsageError, match="one row of finite numbers"):
        t_half_width(values)


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
