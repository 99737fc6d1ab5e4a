"""Pairs are sorted by expert on a GPU."""

from __future__ import annotations

import numpy as np
import pytest

from cuda import shim
from cuda.backends import on_the_processor
from sparsebench.ops.gpu.dispatch import dispatch


@on_the_processor
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("experts", [1, 200, 2500, 9000])
@pytest.mark.parametrize("schedule", [0, 3])
def test_pairs_are_sorted_by_expert(dtype, experts, schedule):
    rng = np.random.default_rng(experts)
    index = rng.integers(0, min(experts + 2, 256) if dtype == np.uint8 else experts + 2, (5000, 2)).astype(
        dtype
    )
    if dtype != np.uint8:
        index[7, 1] = -1
    rows = dispatch(shim.ShimDevice(schedule), index, experts, 64)
    flat = index.reshape(-1).astype(np.int64)
    bucket = np.where((flat < 0) | (flat >= experts), experts, flat)
    sizes = np.bincount(bucket, minlength=experts + 1)
    np.testing.assert_array_equal(rows.first, np.concatenate([[0], np.cumsum(sizes)]))
    np.testing.assert_array_equal(rows.tile, np.concatenate([[0], np.cumsum(-(-sizes[:-1] // 64))]))
    np.testing.assert_array_equal(np.sort(rows.order), np.arange(flat.size))
    assert (np.diff(bucket[rows.order]) >= 0).all()
    assert rows.tile[-1] <= rows.tiles_at_most(64)
    assert (rows.pairs, rows.chosen) == (10_000, 2)


@on_the_processor
def test_one_expert_may_take_all():
    rows = dispatch(shim.ShimDevice(2), np.full(9000, 4), 6, 128)
    np.testing.assert_array_equal(rows.first, [0, 0, 0, 0, 0, 9000, 9000, 9000])
    np.testing.assert_array_equal(rows.tile, [0, 0, 0, 0, 0, 71, 71])
