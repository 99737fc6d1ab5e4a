"""Budget curves and their areas: by hand, by definition, and what cannot raise them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.drawn import BOX, Box, cells, instances, integral, quality_at, ran, variants
from sparsebench.errors import UsageError
from sparsebench.scoring import MOST_VARIANTS, BudgetCell, budget_area, budget_curve, hypervolume, task_area
from sparsebench.scoring.budget import count_seeds

sets = st.integers(1, 5).flatmap(variants)


def test_a_curve_by_hand():
    cheap = [BudgetCell(4, 0.5), BudgetCell(8, 0.5)]  # .25 from 2^2, .5 from 2^3
    dear = [BudgetCell(16, 1.0), None]  # .5 from 2^4: no better than cheap
    best = [BudgetCell(64, 0.75), BudgetCell(64, 0.75)]  # .75 from 2^6
    steps = [(2, 0.25), (3, 0.5), (6, 0.75)]
    np.testing.assert_array_equal(budget_curve([cheap, dear, best]), steps)
    # [2, 12]: one unit of .25, three of .5, six of .75
    assert budget_area([cheap, dear, best], BOX) == pytest.approx((0.25 + 1.5 + 4.5) / 10, abs=1e-15)


def test_what_costs_less_than_one_operation_costs_one():
    for cost in (0.0, 0.3, 1.0):
        np.testing.assert_array_equal(budget_curve([[(cost, 0.5)]]), [(0.0, 0.5)])
        assert budget_area([[(cost, 0.5)]], Box(0.0, 8.0)) == 0.5


@pytest.mark.parametrize(
    ("cost", "area"), [(1.0, 1.0), (2.0**2, 1.0), (2.0**7, 0.5), (2.0**12, 0.0), (2.0**20, 0.0)]
)
def test_what_is_cheaper_or_dearer_than_the_box(cost, area):
    assert budget_area([[(cost, 1.0)]], BOX) == area


def test_nothing_that_ran_has_no_curve_and_no_area():
    for nothing in ([[None]], [[None, None], [None, None]], [[(4.0, 0.0)]]):
        assert budget_curve(nothing).size == 0
        assert budget_area(nothing, BOX) == 0.0
    assert budget_area([], BOX) == 0.0


@given(sets)
def test_the_area_is_the_integral_of_the_curve(drawn):
    assert budget_area(drawn, BOX) == pytest.approx(integral(drawn, BOX), abs=1e-9)


@given(sets, st.floats(0, 20))
def test_the_steps_are_the_curve_by_its_definition(drawn, log2_budget):
    below = [(x, q) for x, q in budget_curve(drawn).tolist() if x <= log2_budget]
    expected = quality_at(drawn, max(1.0, 2.0**log2_budget))
    logs = [math.log2(max(1.0, cell[0])) for row in drawn for cell in row if cell is not None]
    if all(abs(x - log2_budget) > 1e-9 for x in logs):
        assert (below[-1][1] if below else 0.0) == pytest.approx(expected, abs=1e-12)


@given(st.lists(cells, min_size=1, max_size=6))
def test_of_one_variant_the_area_is_the_mean_over_its_cells(row):
    low, high = BOX
    parts = [
        quality * (high - min(high, max(low, math.log2(max(1.0, cost))))) / (high - low)
        for cost, quality in (cell for cell in row if cell is not None)
    ]
    assert budget_area([row], BOX) == pytest.approx(sum(parts) / len(row), abs=1e-12)


@given(sets)
def test_of_one_seed_the_area_is_that_of_the_points(drawn):
    points = [(math.log2(max(1.0, cell[0])), cell[1]) for row in drawn if (cell := row[0]) is not None]
    assert budget_area([row[:1] for row in drawn], BOX) == hypervolume(points, BOX)


@given(st.integers(1, 4).flatmap(instances))
def test_scores_lie_in_the_unit_interval(drawn):
    assert 0.0 <= task_area(drawn, BOX) <= 1.0


@given(st.data(), st.integers(1, 5))
def test_the_order_of_seeds_variants_and_instances_changes_no_digit(data, seeds):
    drawn = data.draw(instances(seeds))
    order = data.draw(st.permutations(range(seeds)))
    mixed = [
        [[row[s] for s in order] for row in data.draw(st.permutations(one))]
        for one in data.draw(st.permutations(drawn))
    ]
    assert task_area(mixed, BOX) == task_area(drawn, BOX)


def worse(cell):
    """Draw what becomes of a cell whose variant gives it up: it fails, or costs more, or answers worse."""
    if cell is None:
        return st.none()
    cost, quality = cell
    poorer = st.tuples(
        st.one_of(st.just(cost), st.floats(cost, 2e5)), st.one_of(st.just(quality), st.floats(0, quality))
    )
    return st.one_of(st.none(), poorer)


def cheapened(cell):
    """Draw the same and, beside it, a quick answer that is worth nothing, as the attack `mixer` gives."""
    return st.one_of(worse(cell), st.floats(0, 1).map(lambda cost: (cost, 0.0)))


@given(st.data(), st.integers(1, 4).flatmap(instances))
def test_giving_up_never_raises_a_score(data, drawn):
    given_up = [[[data.draw(cheapened(cell)) for cell in row] for row in one] for one in drawn]
    assert task_area(given_up, BOX) <= task_area(drawn, BOX) + 1e-15


@given(st.data(), st.integers(1, 4).flatmap(variants))
def test_a_variant_that_gives_up_some_cells_of_another_gains_exactly_nothing(data, drawn):
    quitter = [data.draw(cheapened(cell)) for cell in data.draw(st.sampled_from(drawn))]
    assert budget_area([*drawn, quitter], BOX) == budget_area(drawn, BOX)
    np.testing.assert_array_equal(budget_curve([*drawn, quitter]), budget_curve(drawn))


@given(st.data(), st.lists(ran, min_size=1, max_size=4), st.integers(1, 5))
def test_a_mixture_of_variants_that_do_not_depend_on_the_seed_gains_exactly_nothing(data, each, seeds):
    drawn = [[cell] * seeds for cell in each]
    mixture = data.draw(st.lists(st.sampled_from([*each, None]), min_size=seeds, max_size=seeds))
    assert budget_area([*drawn, mixture], BOX) == pytest.approx(budget_area(drawn, BOX), abs=1e-15)


@given(st.data(), st.integers(1, 4), st.floats(0, 14))
def test_any_added_variant_gains_what_it_does_by_itself_over_all_seeds(data, seeds, log2_budget):
    """No point lies between variants: at each budget one of them has to do it."""
    drawn, budget = data.draw(variants(seeds)), 2.0**log2_budget
    mixture = [data.draw(st.sampled_from([row[s] for row in drawn])) for s in range(seeds)]
    expected = max(quality_at(drawn, budget), quality_at([mixture], budget))
    assert quality_at([*drawn, mixture], budget) == expected
    assert budget_area([*drawn, mixture], BOX) == pytest.approx(integral([*drawn, mixture], BOX), abs=1e-9)
    gain = budget_area([*drawn, mixture], BOX) - budget_area(drawn, BOX)
    assert -1e-15 <= gain <= budget_area([mixture], BOX) + 1e-15
    # Nor is it better than an oracle that knows for each seed which variant will be the best.
    alone = [budget_area([[row[s]] for row in drawn], BOX) for s in range(seeds)]
    assert budget_area([*drawn, mixture], BOX) <= sum(alone) / seeds + 1e-12


@given(st.data(), st.integers(2, 5))
def test_a_seed_that_fails_everywhere_costs_its_share(data, seeds):
    drawn = data.draw(instances(seeds - 1))
    failed = [[[*row, None] for row in one] for one in drawn]
    assert task_area(failed, BOX) == pytest.approx(
        task_area(drawn, BOX) * (seeds - 1) / seeds, rel=1e-12, abs=1e-15
    )


def test_the_mixer_gains_exactly_nothing():
    """Costs are those of a shipped tree on 2^8 and 2^12 points; a cell that is given up costs nothing.

    Of the four cells (instance, seed) a variant does as many as it is called.
    """
    box, small, large, quit_ = Box(0.0, 18.0), (31.0, 1.0), (43.0, 1.0), (0.0, 0.0)
    mixer = {
        "all": ([small, small], [large, large]),
        "three": ([small, small], [large, quit_]),
        "two": ([small, small], [quit_, quit_]),
        "one": ([small, quit_], [quit_, quit_]),
    }
    tree = task_area([[[small, small]], [[large, large]]], box)
    both = [[rows[i] for rows in mixer.values()] for i in range(2)]
    assert tree == pytest.approx(1 - (math.log2(31) + math.log2(43)) / 2 / 18, abs=1e-15)
    assert task_area(both, box) == tree
    # Version 1 took the area of points averaged over cells in logarithms: .823 for .712.
    four = [[cell for row in rows for cell in row] for rows in mixer.values()]
    points = [
        (sum(math.log2(max(1.0, cost)) for cost, _ in rows) / 4, sum(quality for _, quality in rows) / 4)
        for rows in four
    ]
    assert round(tree, 3) == 0.712
    assert round(hypervolume(points, box), 3) == 0.823


def test_an_instance_without_cells_counts_as_zero():
    assert task_area([[[(4.0, 1.0)]], []], BOX) == 0.5


def test_too_many_variants_are_refused():
    row = [(4.0, 0.5)]
    assert budget_area([row] * MOST_VARIANTS, BOX) == 0.5
    for fails in (lambda drawn: budget_area(drawn, BOX), budget_curve, lambda drawn: task_area([drawn], BOX)):
        with pytest.raises(UsageError, match="17 variants of a submission, expected 1 to 16"):
            fails([row] * (MOST_VARIANTS + 1))


@pytest.mark.parametrize("bad", [[[]], [[None], [None, None]], [[], [None]]])
def test_variants_have_as_many_seeds_each(bad):
    with pytest.raises(UsageError, match="expected as many of each"):
        budget_area(bad, BOX)


@pytest.mark.parametrize(
    "bad", [(math.nan, 0.5), (-1.0, 0.5), (math.inf, 0.5), (4.0, math.nan), (4.0, -0.1), (4.0, 1.1)]
)
def test_a_cell_that_is_none_is_refused(bad):
    with pytest.raises(UsageError, match="expected >= 0 and in"):
        budget_area([[(4.0, 0.5), bad]], BOX)


def test_there_must_be_something_to_score():
    with pytest.raises(UsageError, match="no instances"):
        task_area([], BOX)
    with pytest.raises(UsageError, match="0 variants"):
        budget_curve([])
    with pytest.raises(UsageError, match="scoring box"):
        budget_area([[(4.0, 0.5)]], Box(3.0, 3.0))
    assert count_seeds([[None, None, None]]) == 3
