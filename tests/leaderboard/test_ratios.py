"""Operations at equal quality, and what their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench.leaderboard.ratios import Reach, reach

cell = st.none() | st.tuples(st.sampled_from([0.0, 1.0, 3.0, 8.0, 300.0]), st.floats(0, 1))


@st.composite
def variants(draw: st.DrawFn, fewest: int = 1) -> list[list[tuple[float, float] | None]]:
    m = draw(st.integers(fewest, 5))
    return draw(st.lists(st.lists(cell, min_size=m, max_size=m), min_size=1, max_size=4))


def test_the_cheapest_variant_that_buys_a_quality_counts() -> None:
    cells = [[(4.0, 0.5)] * 3, [(64.0, 0.7)] * 3, [(16.0, 0.7)] * 3, [(0.0, 0.1)] * 3]
    assert reach(cells, 0.7) == Reach(4.0, 4.0, 4.0)
    assert reach(cells, 0.1) == Reach(0.0, 0.0, 0.0)  # less than one operation counts as one
    assert reach(cells, 0.71) == Reach(None, None, None)


def test_a_quality_is_bought_when_the_dearest_seed_that_it_needs_is() -> None:
    cells = [[(2.0, 0.6), (4.0, 0.6), (32.0, 0.6)]]
    assert reach(cells, 0.4).cost == 2.0
    assert reach(cells, 0.5).cost == 5.0
    failing = [[(2.0, 0.6), None, (32.0, 0.6)]]
    assert reach(failing, 0.4).cost == 5.0
    assert reach(failing, 0.5).cost is None


@given(variants(), st.floats(0, 1))
def test_what_surely_buys_it_costs_no_less(cells: list[list[tuple[float, float] | None]], q: float) -> None:
    found = reach(cells, q)
    if found.cost is not None:
        assert found.sooner is not None
        assert found.sooner <= found.cost
    if found.later is not None:
        assert found.cost is not None
        assert found.cost <= found.later
    if len(cells[0]) == 1:
        assert found.later is None


@given(variants(), st.floats(0, 1), st.floats(0, 1))
def test_more_quality_costs_no_less(
    cells: list[list[tuple[float, float] | None]], q: float, more: float
) -> None:
    low, high = (reach(cells, quality).cost for quality in sorted((q, more)))
    assert high is None or (low is not None and low <= high)


@pytest.mark.slow
@pytest.mark.parametrize("m", [5, 10])
@pytest.mark.parametrize("shape", ["gaussian", "heavy-tailed"])
def test_intervals_hold_the_cost_that_seeds_without_end_would_show(m: int, shape: str) -> None:
    """Curves whose variants lie on both sides of the quality asked for, by between none and three deviations.

    One side each: the cost may be missed by 2.5 % to below and to above, and the variant beside it is the
    only one that can be taken for it.
    """
    rng = np.random.default_rng(m)
    sets, quality, spread = 4000, 0.7, 0.02
    held = 0
    for _ in range(sets):
        gaps = np.sort(rng.uniform(-3, 3, 6)) * spread
        noise = rng.standard_normal((6, m)) if shape == "gaussian" else rng.standard_t(3, (6, m)) / 3**0.5
        drawn = quality + gaps[:, None] + spread * noise
        cells = [[(2.0 ** (v + 1), min(1.0, max(0.0, q))) for q in row] for v, row in enumerate(drawn)]
        found = reach(cells, quality)
        above = np.flatnonzero(gaps >= 0)
        truth = float(above[0] + 1) if len(above) else np.inf
        sooner, later = (np.inf if end is None else end for end in (found.sooner, found.later))
        held += sooner <= truth <= later
    assert held / sets >= 0.95  # more: a cost is one of a few steps
