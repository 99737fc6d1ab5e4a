"""Addresses sorted by expert."""

from __future__ import annotations

import numpy as np
import pytest

from ops.drawn import ROUTINGS
from ops.on_cpu import NUMBA
from sparsebench.ops.cpu import dispatch


def index_of(routing):
    weights = ROUTINGS[routing](np.arange(20)).astype(np.float64)
    return np.random.default_rng(0).choice(20, size=500, p=weights / weights.sum())


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("routing", ROUTINGS)
def test_pieces_cut_sorted_addresses(rows, routing):
    index = index_of(routing)
    order, bounds = dispatch.group(index, 20)
    np.testing.assert_array_equal(order, np.argsort(index, kind="stable"))
    made = list(dispatch.pieces(bounds, rows))
    assert [start for start, _ in made] == [0, *(stop for _, stop in made[:-1])]
    assert made[-1][1] == 500
    assert all(0 < stop - start <= 2 * rows for start, stop in made)


@NUMBA
@pytest.mark.parametrize("routing", ROUTINGS)
def test_both_sorts_agree(routing):
    from sparsebench.ops.jit.dispatch import group

    index = index_of(routing)
    for got, want in zip(group(index, 20), dispatch.group(index, 20), strict=True):
        np.testing.assert_array_equal(got, want)
