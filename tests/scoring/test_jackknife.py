"""Scores over seeds: pseudo-values, what holds for them on budget curves, and what gains nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from scoring.drawn import BOX, Box, instances
from scoring.test_budget import cheapened
from sparsebench.errors import UsageError
from sparsebench.scoring import (
    SeededScore,
    estimate_bounds,
    estimate_of,
    pseudo_values,
    score_over_seeds,
    score_task,
    task_area,
)

seeded = st.integers(2, 5).flatmap(instances)
UNIT = Box(0.0, 1.0)


def at_no_cost(*rows):
    """Variants whose cells cost nothing: the score of each seed is its quality."""
    return [[[(1.0, quality) for quality in row] for row in rows]]


def without(drawn, seed):
    return [[[cell for s, cell in enumerate(row) if s != seed] for row in one] for one in drawn]


def test_of_one_variant_a_score_is_the_mean_of_its_seeds():
    qualities = [0.1, 0.3, 0.2, 0.4]
    scored = score_task(at_no_cost(qualities), UNIT)
    interval = stats.t.interval(0.95, 3, np.mean(qualities), stats.sem(qualities))
    assert scored.pseudo_values == pytest.approx(qualities, abs=1e-14)
    assert (scored.score, scored.plain) == pytest.approx((0.25, 0.25), abs=1e-15)
    assert (scored.low, scored.high) == pytest.approx(interval, abs=1e-12)
    assert not scored.exact


@given(seeded)
def test_what_was_taken_out_as_luck_widens_the_interval(drawn):
    m = len(drawn[0][0])
    scored = score_task(drawn, BOX)
    luck, t = scored.plain - scored.score, stats.t.ppf(0.975, m - 1)
    half = math.hypot(t * np.std(scored.pseudo_values, ddof=1) / math.sqrt(m), luck)
    assert scored.low == pytest.approx(max(0.0, scored.score - half), abs=1e-9)
    assert scored.high == pytest.approx(min(1.0, scored.score + half), abs=1e-9)
    assert estimate_bounds(estimate_of(scored)) == (scored.low, scored.high)


def test_of_two_variants_by_hand():
    # theta is .5, of a; without seed 0 it is .75, of b; without seed 1 it is 1, of a.
    scored = score_task(at_no_cost([1.0, 0.0], [0.0, 0.75]), UNIT)
    assert scored.plain == 0.5
    assert scored.pseudo_values == (0.25, 0.0)
    assert scored.score == 0.125
    assert (scored.low, scored.high) == (0.0, 1.0)  # held to the scores that there are


@given(seeded)
def test_pseudo_values_are_those_of_the_scores_without_a_seed(drawn):
    m = len(drawn[0][0])
    plain, parts = task_area(drawn, BOX), [task_area(without(drawn, s), BOX) for s in range(m)]
    scored = score_task(drawn, BOX)
    assert scored.plain == plain
    assert scored.pseudo_values == pytest.approx(pseudo_values(plain, parts), abs=1e-11)
    assert scored.score == pytest.approx(m * plain - (m - 1) * sum(parts) / m, abs=1e-11)


@given(seeded)
def test_all_of_a_score_lies_in_the_unit_interval_and_not_above_the_plain_one(drawn):
    scored = score_task(drawn, BOX)
    assert all(-1e-12 <= value <= 1 + 1e-12 for value in scored.pseudo_values)
    assert 0.0 <= scored.low <= scored.score <= scored.high <= 1.0
    assert scored.score <= scored.plain + 1e-12
    assert scored.plain <= scored.high + 1e-12


@given(st.data(), st.integers(1, 5))
def test_the_order_of_seeds_variants_and_instances_changes_nothing(data, seeds):
    drawn = data.draw(instances(seeds))
    order = data.draw(st.permutations(range(seeds)))
    mixed = [
        [[row[s] for s in order] for row in data.draw(st.permutations(one))]
        for one in data.draw(st.permutations(drawn))
    ]
    a, b = score_task(drawn, BOX), score_task(mixed, BOX)
    assert (a.score, a.plain, a.exact) == (b.score, b.plain, b.exact)
    assert [a.pseudo_values[s] for s in order] == list(b.pseudo_values)
    if seeds > 1:
        assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=1e-9)


@given(st.data(), seeded)
def test_a_variant_that_gives_up_cells_of_others_changes_nothing_at_all(data, drawn):
    """Which cells it gives up may depend on anything: instance, seed, or its own random numbers."""
    given_up = data.draw(st.integers(0, len(drawn[0]) - 1))
    more = [[*one, [data.draw(cheapened(cell)) for cell in one[given_up]]] for one in drawn]
    assert score_task(more, BOX) == score_task(drawn, BOX)


@given(seeded)
def test_a_clone_to_the_last_digit_changes_nothing_at_all(drawn):
    assert score_task([[*one, *one] for one in drawn], BOX) == score_task(drawn, BOX)


@given(st.data(), seeded)
def test_giving_up_never_brings_a_score_above_the_plain_one_of_before(data, drawn):
    given_up = [[[data.draw(cheapened(cell)) for cell in row] for row in one] for one in drawn]
    assert score_task(given_up, BOX).score <= score_task(drawn, BOX).plain + 1e-12


@given(st.data(), st.integers(2, 5))
def test_with_one_variant_giving_up_never_raises_a_score(data, seeds):
    drawn = [[row] for one in data.draw(instances(seeds)) for row in one[:1]]
    given_up = [[[data.draw(cheapened(cell)) for cell in row] for row in one] for one in drawn]
    assert score_task(given_up, BOX).score <= score_task(drawn, BOX).score + 1e-12


def test_taking_luck_out_is_not_monotone():
    """Two variants that are good in one seed each may be luck. Without one of them there is less to doubt."""
    doubted, kept = at_no_cost([1.0, 0.0], [0.0, 0.9]), at_no_cost([1.0, 0.0], [0.0, 0.0])
    assert score_task(doubted, UNIT).score == pytest.approx(0.05, abs=1e-12)
    assert score_task(kept, UNIT).score == 0.5
    assert score_task(doubted, UNIT).plain == score_task(kept, UNIT).plain == 0.5


@given(st.data(), st.integers(3, 6))
def test_a_seed_that_fails_everywhere_costs_exactly_its_share(data, seeds):
    drawn = data.draw(instances(seeds - 1))
    place = data.draw(st.integers(0, seeds - 1))
    failed = [[[*row[:place], None, *row[place:]] for row in one] for one in drawn]
    before, after = score_task(drawn, BOX), score_task(failed, BOX)
    share = (seeds - 1) / seeds
    assert after.plain == pytest.approx(before.plain * share, abs=1e-12)
    assert after.score == pytest.approx(before.score * share, abs=1e-12)
    expected = [*before.pseudo_values[:place], 0.0, *before.pseudo_values[place:]]
    assert after.pseudo_values == pytest.approx(expected, abs=1e-11)


@given(st.data(), st.integers(2, 5))
def test_where_all_seeds_agree_a_score_is_exact(data, seeds):
    drawn = [[row * seeds for row in one] for one in data.draw(instances(1))]
    scored = score_task(drawn, BOX)
    assert scored.exact
    assert scored.score == scored.low == scored.high == scored.plain == task_area(drawn, BOX)
    assert scored.pseudo_values == (scored.plain,) * seeds


def test_exact_is_up_to_rounding_and_no_further():
    assert score_over_seeds(0.5, [0.5 + 1e-13, 0.5, 0.5 - 1e-13]).exact
    assert not score_over_seeds(0.5, [0.5 + 1e-11, 0.5, 0.5]).exact
    # Without any seed the same is left, but more than with all: the seeds agree on nothing.
    apart = score_task(at_no_cost([1.0, 0.0], [0.0, 1.0]), UNIT)
    assert apart == SeededScore(
        0.0, 0.0, pytest.approx(0.5), 0.5, exact=False, variance=apart.variance, pseudo_values=(0.0, 0.0)
    )


def test_with_one_seed_there_is_a_score_and_no_interval():
    assert score_task(at_no_cost([0.75]), UNIT) == SeededScore(
        0.75, None, None, 0.75, exact=False, variance=None, pseudo_values=(0.75,)
    )


def test_an_instance_without_cells_has_no_area():
    assert score_task([*at_no_cost([0.5, 0.5]), []], UNIT).score == 0.25


def test_the_level_is_that_of_the_interval():
    narrow, wide = (score_task(at_no_cost([0.4, 0.5, 0.6]), UNIT, level) for level in (0.5, 0.95))
    assert narrow.score == wide.score
    assert wide.low < narrow.low < narrow.score < narrow.high < wide.high
    with pytest.raises(UsageError, match="expected 0 < level < 1"):
        score_task(at_no_cost([0.4, 0.5]), UNIT, 95)


def test_boards_without_seeds_in_common_are_refused():
    with pytest.raises(UsageError, match="cells of no seeds"):
        score_task([[], []], UNIT)
    with pytest.raises(UsageError, match="cells of 2 and 3 seeds"):
        score_task([*at_no_cost([0.5, 0.5]), *at_no_cost([0.5, 0.5, 0.5])], UNIT)
    with pytest.raises(UsageError, match="17 variants"):
        score_task(at_no_cost(*[[0.5, 0.5]] * 17), UNIT)
    with pytest.raises(UsageError, match="jackknife of 1 seeds"):
        score_over_seeds(0.5, [0.5])
    with pytest.raises(UsageError, match="finite"):
        score_over_seeds(0.5, [0.5, math.nan])
