"""Pareto fronts and dominated areas, by hand, by property and against moocore."""

from typing import NamedTuple

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.errors import UsageError
from sparsebench.scoring import hypervolume, pareto_front


class Box(NamedTuple):
    log2_ops_low: float
    log2_ops_high: float


BOX = Box(4.0, 12.0)
grid = st.tuples(st.integers(0, 16).map(float), st.integers(0, 8).map(lambda k: k / 8))
real = st.tuples(st.floats(-5, 25), st.floats(-0.5, 1.5))
points = st.lists(st.one_of(grid, real), max_size=20)


def test_front_by_hand():
    front = pareto_front([(5, 0.5), (3, 0.2), (4, 0.2), (6, 0.4), (5, 0.5), (9, 0.9), (3, 0.1)])
    np.testing.assert_array_equal(front, [(3, 0.2), (5, 0.5), (9, 0.9)])


@given(points)
def test_front_is_exactly_the_points_that_nothing_dominates(cloud):
    def dominated(p):
        return any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in cloud)

    expected = sorted({(float(x), float(q)) for x, q in cloud if not dominated((x, q))})
    assert [tuple(row) for row in pareto_front(cloud).tolist()] == expected


@given(points)
def test_front_agrees_with_moocore(cloud):
    if cloud:
        array = np.array(cloud) * [1, -1]
        mask = moocore.is_nondominated(array, keep_weakly=False)
        assert len(pareto_front(cloud)) == int(mask.sum())


def test_area_by_hand():
    # [4, 12] x [0, 1]: half the width at quality 0.5, plus a quarter of the width at another 0.25
    assert hypervolume([(8, 0.5), (10, 0.75)], BOX) == 0.5 * 0.5 + 0.25 * 0.25


@pytest.mark.parametrize(
    ("point", "area"),
    [
        ((4, 1), 1.0),
        ((-np.inf, 1), 1.0),
        ((0, 0.5), 0.5),
        ((12, 1), 0.0),
        ((99, 1), 0.0),
        ((8, 0), 0.0),
        ((8, -3), 0.0),
        ((8, 7), 0.5),
        ((np.inf, 1), 0.0),
    ],
)
def test_points_are_clipped_to_the_box(point, area):
    assert hypervolume([point], BOX) == area


def test_no_points_no_area():
    assert hypervolume([], BOX) == 0.0
    assert pareto_front([]).shape == (0, 2)


@given(points)
def test_area_agrees_with_moocore(cloud):
    inside = [(max(x, BOX.log2_ops_low), min(max(q, 0.0), 1.0)) for x, q in cloud if x < BOX.log2_ops_high]
    expected = 0.0
    if inside:
        expected = moocore.hypervolume(np.array(inside) * [1, -1], ref=[BOX.log2_ops_high, 0.0]) / 8.0
    assert hypervolume(cloud, BOX) == pytest.approx(expected, abs=1e-12)


@given(points)
def test_area_agrees_with_counting_on_a_grid_of_exact_cells(cloud):
    cloud = [(float(round(x)), round(q * 8) / 8) for x, q in cloud]
    covered = sum(
        any(x <= column and q >= (level + 1) / 8 for x, q in cloud)
        for column in range(4, 12)
        for level in range(8)
    )
    assert hypervolume(cloud, BOX) == pytest.approx(covered / 64, abs=1e-12)


@given(points, st.one_of(grid, real))
def test_adding_a_point_never_shrinks_the_area(cloud, point):
    before, after = hypervolume(cloud, BOX), hypervolume([*cloud, point], BOX)
    assert 0.0 <= before <= after + 1e-15
    assert after <= 1.0


@given(points, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(cloud, random):
    shuffled = [*cloud, *cloud]
    random.shuffle(shuffled)
    assert hypervolume(shuffled, BOX) == hypervolume(cloud, BOX)


@pytest.mark.parametrize("box", [Box(4, 4), Box(5, 4), Box(np.nan, 4), Box(0, np.inf)])
def test_a_box_without_width_is_refused(box):
    with pytest.raises(UsageError, match="scoring box runs from"):
        hypervolume([(1, 1)], box)


@pytest.mark.parametrize("bad", [[1, 2], [(1, 2, 3)], [[[1, 2]]]])
def test_points_of_another_shape_are_refused(bad):
    with pytest.raises(UsageError, match=r"expected \(k, 2\)"):
        hypervolume(bad, BOX)


def test_nan_is_refused():
    with pytest.raises(UsageError, match="NaN"):
        hypervolume([(5.0, np.nan)], BOX)
