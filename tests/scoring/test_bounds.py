"""The counting bound of memorization."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.scoring import counting_bound, respects_counting_bound


@pytest.mark.parametrize("t", [1, 2, 4, 8, 16])
def test_bound_where_it_is_a_whole_number(t):
    assert counting_bound(t * 2**t) == pytest.approx(t, rel=1e-12)


@given(st.integers(2, 10**15))
def test_bound_is_the_smallest_solution(n):
    t = counting_bound(n)
    assert t + math.log2(t) >= math.log2(n)
    assert t * (1 - 1e-12) + math.log2(t * (1 - 1e-12)) < math.log2(n) * (1 + 1e-13)
    assert t <= math.log2(n)


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_bound_grows_with_n(n, more):
    assert counting_bound(n) < counting_bound(n + more)


def test_one_label_costs_nothing_and_none_is_refused():
    assert counting_bound(1) == 0.0
    for n in (0, -3, math.nan):
        with pytest.raises(UsageError, match="at least 1"):
            counting_bound(n)


def test_counts_that_are_possible_and_counts_that_are_not():
    assert respects_counting_bound(15, 256)  # a conditional tree
    assert respects_counting_bound(8, 8 * 256)
    assert not respects_counting_bound(7.9, 8 * 256)
    assert respects_counting_bound(0, 0)
    assert respects_counting_bound(0, 1)


def test_a_mean_over_all_inputs_is_spread_over_the_memorized_ones():
    # 64 of 640 inputs memorized with 4 operations each, the others answered for nothing
    assert not respects_counting_bound(0.4, 64)
    assert respects_counting_bound(0.4, 64, n_inputs=640)
    assert not respects_counting_bound(0.3, 64, n_inputs=640)


def test_a_constant_that_is_right_for_several_labels_is_no_miracle():
    assert not respects_counting_bound(0, 4)
    assert respects_counting_bound(0, 4, labels_per_value=4)
    assert not respects_counting_bound(0.5, 9, labels_per_value=4)
    with pytest.raises(UsageError, match="at least 1"):
        respects_counting_bound(1, 1, labels_per_value=0)
