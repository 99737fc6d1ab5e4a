"""Loaded parameters: the distinct elements that are read, exactly, through whatever views."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.metered import Meter
from ops.specimen import having
from sparsebench import ops

W = np.arange(24.0).reshape(4, 6)


@pytest.fixture
def meter():
    meter = Meter({"w": W, "v": np.arange(5.0), "s": np.float64(3.0), "t": np.arange(7, dtype=np.int64)})
    meter.x = meter.begin(np.zeros((1, 6)))
    meter.engine.loads.active = True
    return meter


def touch(array):
    return array + 1.0


READS = {
    "whole": (24, lambda m, w: touch(w)),
    "nothing": (0, lambda m, w: w[1:].mT[None]),
    "slice": (4, lambda m, w: touch(w[1:3, ::3])),
    "negative-steps": (12, lambda m, w: touch(w[::-2, ::-1])),
    "column": (4, lambda m, w: touch(w.T[2])),
    "element": (1, lambda m, w: touch(w[3, 5])),
    "element-of-a-vector": (1, lambda m, w: touch(m.params["v"][4])),
    "scalar": (1, lambda m, w: touch(m.params["s"])),
    "broadcast": (6, lambda m, w: touch(m.xp.broadcast_to(w[0], (9, 6)))),
    "flip": (6, lambda m, w: touch(m.xp.flip(w)[0])),
    "moved": (4, lambda m, w: touch(m.xp.moveaxis(w, 0, 1)[5])),
    "empty": (0, lambda m, w: touch(w[4:])),
    "empty-backwards": (0, lambda m, w: touch(w[:0:-1, 6:])),
    "reshape-view": (6, lambda m, w: touch(m.xp.reshape(w, (2, 12))[0, :6])),
    "reshape-copy": (24, lambda m, w: touch(m.xp.reshape(w.T, (24,))[0])),
    "mask": (12, lambda m, w: w[m.put([True, False, False, True])]),
    "mask-elements": (3, lambda m, w: w[m.put(W > 20.0)]),
    "getitem": (4, lambda m, w: w[m.put([0, 1]), ::3]),
    "negative-index": (6, lambda m, w: w[m.put([-1, 3])]),
    "take": (8, lambda m, w: m.xp.take(w, m.put([0, 5, 0]), axis=1)),
    "take-along": (5, lambda m, w: m.xp.take_along_axis(w, m.put([[0, 1], [2, 2], [3, 3], [4, 4]]), axis=1)),
    "table-as-its-own-index": (7, lambda m, w: m.params["t"][m.params["t"]]),
    "copy": (24, lambda m, w: m.xp.asarray(w, copy=True)[0, 0]),
    "cast": (24, lambda m, w: m.xp.astype(w, "float32")),
    "matmul": (24, lambda m, w: m.x @ w.T),
    "matmul-part": (12, lambda m, w: m.x @ w.T[:, :2]),
    "matmul-of-no-rows": (0, lambda m, w: m.x[:0] @ w.T),
    "bias-for-no-rows": (0, lambda m, w: m.x[:0] + w[0]),
    "no-rows-of-results": (0, lambda m, w: (m.x @ m.x.T)[m.put([False])] * m.params["v"]),
    "sum-of-no-rows": (6, lambda m, w: m.xp.sum(m.x[:0], axis=0) + w[0]),
    "none-found": (24, lambda m, w: m.xp.nonzero(w > 99.0)),
    "pair-for-no-rows": (0, lambda m, w: m.xp.meshgrid(m.x[0, :0], m.params["v"])),
    "written": (6, lambda m, w: m.xp.zeros(6).__setitem__(slice(None), w[0])),
    "where": (12, lambda m, w: m.xp.where(m.x > 0.0, w[0], w[1])),
    "shape-only": (0, lambda m, w: m.xp.zeros_like(w) + m.xp.ones_like(w) + m.xp.full_like(w, 1.0)),
    "bit": (1, lambda m, w: bool(w[0, 0])),
    "constant": (2, lambda m, w: m.x[:, :2] + np.ones(2)),
    "constant-gone": (4, lambda m, w: [touch(m.xp.asarray(np.ones(2))) for _ in range(2)] and None),
    "inputs-are-no-parameters": (0, lambda m, w: touch(m.x)),
    "results-are-no-parameters": (6, lambda m, w: touch(touch(w[0]))),
}  # fmt: skip
READS |= {
    name: (expected, functools.partial(read, ops))
    for calls in having("loads").values()
    for name, (expected, read) in calls.items()
}


@pytest.mark.parametrize(("expected", "read"), READS.values(), ids=READS.keys())
def test_elements(meter, expected, read):
    kept = read(meter, meter.params["w"])
    assert meter.engine.loads.elements() == expected
    assert meter.engine.loads.nbytes() == 8 * expected
    del kept


SLICES = st.builds(
    slice,
    st.none() | st.integers(-7, 7),
    st.none() | st.integers(-7, 7),
    st.none() | st.sampled_from([1, 2, 3, -1, -2, -3]),
)


@settings(max_examples=150)
@given(
    first=st.tuples(SLICES, SLICES), turned=st.booleans(), second=st.tuples(SLICES, SLICES), data=st.data()
)
def test_views_of_views(first, turned, second, data):
    def view(array):
        part = array[first]
        return (part.T if turned else part)[second]

    meter = Meter({"w": W})
    meter.begin(np.zeros((1, 1)))
    meter.engine.loads.active = True
    looked_at = view(meter.params["w"])
    want = {int(number) for number in view(W).ravel()}
    if view(W).shape[0] and data.draw(st.booleans()):
        index = data.draw(st.lists(st.integers(0, view(W).shape[0] - 1), max_size=4))
        ops.gather(meter.put(np.array(index, dtype=np.int64)), looked_at)
        want = {int(number) for number in view(W)[index].ravel()}
    else:
        touch(looked_at)
    (marks,) = (marks for owner, marks in meter.engine.loads._marks.values() if owner.shape == W.shape)
    assert set(np.flatnonzero(marks).tolist()) == want


def test_nothing_is_marked_while_inactive():
    meter = Meter({"w": W})
    meter.begin(np.zeros((1, 6)))
    touch(meter.params["w"])
    assert meter.engine.loads.elements() == 0


def test_constants_that_are_gone_take_no_memory(meter):
    before = meter.engine.memory.held
    for _ in range(3):
        meter.xp.asarray(np.ones(1000))
    assert meter.engine.memory.held == before
    assert len(meter.engine.loads._marks) == 4
    assert list(meter.engine.constants.values()) == [(1000, 8000)]  # one content is stored once


def test_a_view_keeps_a_constant(meter):
    part = meter.xp.asarray(np.ones(1000))[:3]
    touch(part)
    assert meter.engine.loads.elements() == 3
    del part
    assert meter.engine.loads.elements() == 3
    held = meter.xp.asarray(np.ones(7))
    touch(held)
    meter.engine.loads.reset()
    assert meter.engine.loads.elements() == 0
