"""Sums at computed addresses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.alike import random, same
from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops.charges import Charge
from sparsebench.ops.elementary import segments

SEEDS = st.integers(0, 2**32 - 1)
RESTS = st.sampled_from([(), (0,), (1,), (5,), (2, 3)])


def one_by_one(target, index, values):
    """What addition in the order of rows gives."""
    out = target.astype(np.result_type(target, values))
    for address, row in zip(index, values, strict=True):
        out[address] += row.astype(out.dtype)
    return out


@st.composite
def calls(draw):
    many, n, rest, seed = draw(st.integers(1, 5)), draw(st.integers(0, 60)), draw(RESTS), draw(SEEDS)
    kinds = st.sampled_from([np.float32, np.float64, np.int16])
    target, values = random(seed, (many, *rest)), random(seed + 1, (n, *rest))
    index = np.random.default_rng(seed).integers(0, many, n)
    wide = draw(st.sampled_from([np.int64, np.uint8, np.uint64]))
    return (10 * target).astype(draw(kinds)), index.astype(wide), (10 * values).astype(draw(kinds))


@settings(max_examples=80)
@given(call=calls(), layout=st.sampled_from([np.ascontiguousarray, np.asfortranarray]))
def test_scatter_adds_one_row_after_the_other(call, layout):
    target, index, values = call
    before = target.copy()
    got = ops.scatter_add(layout(target), index, layout(values))
    same(got, one_by_one(target, index, values))
    same(target, before)
    want = before.astype(got.dtype)
    np.add.at(want, index, values.astype(got.dtype))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@settings(max_examples=80)
@given(call=calls(), chunk=st.sampled_from([1, 7, 1 << 20]))
def test_segment_sums(call, chunk):
    target, index, values = call
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments, "_CHUNK", chunk)
        got = ops.segment_sum(values, index, num_segments=len(target))
    same(got, one_by_one(np.zeros(target.shape, values.dtype), index, values))


@settings(max_examples=20)
@given(seed=SEEDS, dtype=st.sampled_from([np.float32, np.float64]), d=st.integers(1, 40))
def test_a_segment_does_not_see_the_others(seed, dtype, d):
    values, index = random(seed, (60, d), dtype), np.random.default_rng(seed).integers(0, 9, 60)
    whole = ops.segment_sum(values, index, num_segments=9)
    for segment in range(9):
        mine = index == segment
        same(ops.segment_sum(values[mine], 0 * index[mine], num_segments=1)[0], whole[segment])
    order = np.argsort(index, kind="stable")
    same(ops.segment_sum(np.asfortranarray(values[order]), index[order], num_segments=9), whole)


def test_nothing_to_add():
    none = np.zeros(0, np.int64)
    same(ops.segment_sum(np.ones((0, 3)), none, num_segments=0), np.ones((0, 3)))
    same(ops.segment_sum(np.ones((0, 3)), none, num_segments=2), np.zeros((2, 3)))
    same(ops.scatter_add(np.ones((2, 3)), none, np.ones((0, 3))), np.ones((2, 3)))


def test_not_a_number_stays_in_its_segment():
    got = ops.segment_sum(np.array([np.nan, 1.0, np.inf]), np.array([0, 1, 2]), num_segments=4)
    np.testing.assert_array_equal(got, [np.nan, 1.0, np.inf, 0.0])


def test_prices_and_sizes():
    target, index, values = np.zeros((5, 3), np.float32), np.zeros(4, np.uint8), np.zeros((4, 3))
    assert ops.scatter_add.cost(target, index, values) == (
        Charge("lookup", "uint8", 12),
        Charge("load", "float32", 12),
        Charge("add", "float64", 12),
    )
    assert ops.scatter_add.elements(target, index, values) == 15 + 12 + 3
    assert ops.segment_sum.elements(values, index, num_segments=100) == 300 + 12 + 3


X, INDEX = np.ones((3, 2)), np.array([0, 1, 1])


@pytest.mark.parametrize(
    ("error", "target", "index", "values"),
    [
        (IndexError, X, INDEX + 2, X),
        (IndexError, X, INDEX - 1, X),
        (TypeError, X, INDEX / 1, X),
        (TypeError, X, INDEX, X > 0),
        (TypeError, X > 0, INDEX, X),
        (TypeError, X, INDEX, X * 1j),
        (ValueError, X, INDEX[:2], X),
        (ValueError, X, INDEX[None], X[None]),
        (ValueError, X, INDEX, X[:, :1]),
        (ValueError, X[0, 0].reshape(()), INDEX, X),
        (ValueError, X, INDEX, np.array(1.0)),
    ],
)
def test_scatter_add_refuses(error, target, index, values):
    with pytest.raises(error, match="scatter_add"):
        ops.scatter_add(target, index, values)


@pytest.mark.parametrize(
    ("error", "values", "index", "many"),
    [
        (IndexError, X, INDEX, 1),
        (IndexError, X, INDEX - 1, 3),
        (TypeError, X, INDEX / 1, 3),
        (TypeError, X > 0, INDEX, 3),
        (ValueError, X, INDEX, -1),
        (ValueError, X, INDEX[:2], 3),
    ],
)
def test_segment_sum_refuses(error, values, index, many):
    with pytest.raises(error, match=r"^segment_sum: "):
        ops.segment_sum(values, index, num_segments=many)


WRONG = [
    (IndexError, ops.scatter_add, (X[:2], INDEX + 3, X), {}),
    (IndexError, ops.segment_sum, (X, INDEX), {"num_segments": 1}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
