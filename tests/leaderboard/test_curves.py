"""The curves that charts show are those that are scored."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.leaderboard.curves import front_of, pooled, quality_at, within
from sparsebench.scoring import budget_area, budget_curve


class Box:
    log2_ops_low, log2_ops_high = 3.0, 12.0


CELL = st.none() | st.tuples(st.floats(0, 1e5), st.floats(0, 1))
VARIANTS = st.integers(1, 3).flatmap(
    lambda seeds: st.lists(st.lists(CELL, min_size=seeds, max_size=seeds), min_size=1, max_size=4)
)
BUDGETS = st.floats(-1, 20)


def curve_of(variants):
    return tuple((float(cost), float(quality)) for cost, quality in budget_curve(variants))


def area(curve):
    """The area under a curve in the box."""
    steps = within(curve, Box.log2_ops_low, Box.log2_ops_high)
    width = Box.log2_ops_high - Box.log2_ops_low
    return math.fsum((after - cost) * quality for (cost, quality), (after, _) in pairwise(steps)) / width


@given(st.lists(VARIANTS, min_size=1, max_size=4))
def test_the_area_under_a_pooled_curve_is_the_score(instances):
    curve = pooled([curve_of(variants) for variants in instances])
    score = math.fsum(budget_area(variants, Box) for variants in instances) / len(instances)
    assert area(curve) == pytest.approx(score, abs=1e-12)


@given(st.lists(VARIANTS.map(curve_of), min_size=1, max_size=4), BUDGETS)
def test_a_pooled_curve_is_the_mean_and_a_front_the_largest_at_every_budget(curves, budget):
    each = [quality_at(curve, budget) for curve in curves]
    assert quality_at(pooled(curves), budget) == pytest.approx(math.fsum(each) / len(each), abs=1e-12)
    assert quality_at(front_of(curves), budget) == max(each)


@given(st.lists(VARIANTS.map(curve_of), max_size=4))
def test_both_rise_from_step_to_step(curves):
    for curve in (pooled(curves) if curves else (), front_of(curves)):
        assert all(a[0] < b[0] for a, b in pairwise(curve))
        assert all(a[1] <= b[1] for a, b in pairwise(curve))


def test_a_curve_in_a_box_starts_and_ends_at_its_edges():
    curve = ((1.0, 0.2), (4.0, 0.5), (9.0, 0.9))
    assert within(curve, 2.0, 8.0) == ((2.0, 0.2), (4.0, 0.5), (8.0, 0.5))
    assert within((), 2.0, 8.0) == ((2.0, 0.0), (8.0, 0.0))
