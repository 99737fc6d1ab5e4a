"""The t distribution against scipy's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sparsebench.errors import UsageError
from sparsebench.scoring import student, t_cdf, t_quantile, t_two_sided

degrees = st.one_of(st.integers(1, 300), st.floats(0.5, 1e5))


@given(st.floats(-50, 50), degrees)
def test_cdf_agrees_with_scipy(t, df):
    assert t_cdf(t, df) == pytest.approx(stats.t.cdf(t, df), rel=1e-9, abs=1e-15)


@given(st.floats(0.01, 1e6), st.integers(1, 60))
def test_far_tails_keep_their_relative_accuracy(t, df):
    assert t_two_sided(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-9, abs=1e-300)


@given(st.floats(1e-9, 1 - 1e-9), degrees)
def test_quantile_agrees_with_scipy(p, df):
    assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-7, abs=1e-9)


@given(st.floats(-30, 30), st.integers(1, 100))
def test_quantile_inverts_the_cdf(t, df):
    p = t_cdf(t, df)
    if 1e-6 < p < 1 - 1e-6:
        assert t_quantile(p, df) == pytest.approx(t, rel=1e-6, abs=1e-8)


@given(st.floats(0, 100), degrees)
def test_the_distribution_is_symmetric(t, df):
    assert t_cdf(-t, df) + t_cdf(t, df) == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize(("df", "expected"), [(1, 12.7062), (4, 2.7764), (9, 2.2622), (1000, 1.9623)])
def test_quantiles_of_the_printed_tables(df, expected):
    assert t_quantile(0.975, df) == pytest.approx(expected, abs=5e-5)


def test_special_points():
    assert t_cdf(0.0, 7) == 0.5
    assert t_two_sided(0.0, 7) == 1.0
    assert t_cdf(math.inf, 3) == 1.0
    assert t_cdf(-math.inf, 3) == 0.0
    assert t_quantile(0.5, 3) == pytest.approx(0.0, abs=1e-12)
    assert t_cdf(1.0, 1) == pytest.approx(0.75, rel=1e-15)  # Cauchy


def test_a_fraction_cut_short_still_ends(monkeypatch):
    monkeypatch.setattr(student, "_MAX_TERMS", 3)
    assert 0.0 <= t_two_sided(1.0, 50) <= 1.0


def test_a_vanishing_denominator_is_replaced():
    assert student._not_zero(0.0) > 0.0
    assert student._not_zero(-2.0) == -2.0


@pytest.mark.parametrize(("t", "df"), [(math.nan, 3), (1.0, 0), (1.0, -1), (1.0, math.nan), (1.0, math.inf)])
def test_what_is_no_t_variable_is_refused(t, df):
    with pytest.raises(UsageError, match="degrees of freedom"):
        t_cdf(t, df)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, math.nan])
def test_what_is_no_probability_is_refused(p):
    with pytest.raises(UsageError, match="expected 0 < p < 1"):
        t_quantile(p, 4)
