"""What takes more memory or time than its lengths seem to: empty arrays above all, which have lengths too."""

from __future__ import annotations

import contextlib
import math
import sys
import time
import tracemalloc

import numpy as np
import pytest

from meter.metered import Meter
from meter.operands import NO_ROWS, NONE, NONE_AT_ALL, SQUARES
from ops.specimen import having
from sparsebench.errors import MemoryLimitError
from sparsebench.meter.rules import RULES
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.core import tiles

SLACK = 1 << 18
CHUNK = 9 << 20  # what ops.nearest_prototype holds at once


@contextlib.contextmanager
def traced():
    """Trace memory; gives a function that tells the most that was held."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


CALLS = [
    ("diff", {"n": 2**62}, (NO_ROWS,)),
    ("linalg.inv", {}, (SQUARES,)),
    ("linalg.inv", {}, (NONE_AT_ALL,)),
    ("linalg.matrix_norm", {"ord": 1}, (NO_ROWS,)),
    ("linalg.matrix_norm", {"ord": math.inf}, (NONE,)),
    ("linalg.matrix_power", {}, (SQUARES, 0)),
    ("linalg.solve", {}, (NONE_AT_ALL, NONE_AT_ALL)),
    ("repeat", {"axis": 0}, (NONE[:4], 2**40)),
    ("take_along_axis", {"axis": 1}, (NONE, NONE.astype(np.int64))),
    ("vecdot", {}, (NONE, NONE)),
    ("vecdot", {"axis": -2}, (NO_ROWS, NO_ROWS)),
    *((name, *call) for name, calls in having("hidden").items() for call in calls),
]


@pytest.mark.parametrize(("name", "keywords", "arguments"), CALLS)
def test_the_plan_bounds_the_memory(name, keywords, arguments):
    rule = RULES[name]
    with traced() as peak:
        arguments, keywords = rule.bound(arguments, keywords)
        planned = rule.plan(*arguments, **keywords).nbytes
        assert peak() <= SLACK  # nor does planning take any
        assert rule.run(*arguments, **keywords) is not None
        assert peak() <= max(planned, CHUNK) + SLACK


LONG = {
    "zeros": lambda xp: xp.zeros((0, 1 << 40)),
    "matrices": lambda xp: xp.zeros((0, 1 << 20, 1 << 20), dtype="bool"),
    "repeat": lambda xp: xp.repeat(xp.zeros((3, 0)), 1 << 40, axis=0),
    "broadcast": lambda xp: xp.broadcast_to(xp.zeros((0, 1)), (0, 1 << 40)),
    "reshape": lambda xp: xp.reshape(xp.zeros((0,)), (1 << 40, 0)),
    "constant": lambda xp: xp.asarray(np.zeros((0, 1 << 40))),
}


@pytest.mark.parametrize("make", LONG.values(), ids=LONG.keys())
def test_none_is_longer_than_one_with_elements_could_be(make):
    with pytest.raises(MemoryLimitError):
        make(Meter(memory_limit=1 << 20).xp)


def test_short_ones_are_as_good_as_any():
    meter = Meter(memory_limit=1 << 20)
    assert meter.xp.zeros((0, 1 << 16)).shape == (0, 1 << 16)
    assert meter.engine.memory.held < 1 << 12


def test_repeating_nothing():
    xp = Meter().xp
    empty = xp.zeros((2, 0, 3))
    assert xp.repeat(empty, 4).shape == (0,)
    assert [xp.repeat(empty, 4, axis=axis).shape for axis in (0, 1, -1)] == [(8, 0, 3), (2, 0, 3), (2, 0, 12)]


def test_differences_of_nothing():
    xp = Meter().xp
    for n, left in ((0, 5), (2, 3), (9, 0)):
        assert xp.diff(xp.zeros((0, 5, 2)), axis=1, n=n).shape == (0, left, 2)


MOVES = {
    "roll": lambda xp, x: xp.roll(x, (1,) * x.ndim, axis=tuple(range(x.ndim))),
    "fftshift": lambda xp, x: xp.fft.fftshift(x),
    "ifftshift": lambda xp, x: xp.fft.ifftshift(x),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
def test_many_axes_are_moved_one_after_the_other(move):
    """NumPy copies 2^20 pieces of one element each, which takes several seconds."""
    meter = Meter()
    x = meter.put(np.arange(1 << 20) % 3 == 0)
    start = time.perf_counter()
    moved = move(meter.xp, meter.xp.reshape(x, (2,) * 20))
    assert time.perf_counter() - start < 2.0
    assert meter.get(moved).reshape(-1)[-1] == meter.get(x)[0]


def test_a_prime_length_has_room_for_bluesteins_algorithm():
    """It takes 10 numbers for each of one row; memory that NumPy does not report."""
    assert RULES["fft.fft"].plan(np.zeros(1009)).nbytes >= 10 * 1009 * 16


def test_the_experts_of_one_row_are_not_gathered_all_at_once():
    x, index, weights = np.ones((1, 300)), np.zeros((1, 500), dtype=np.int64), np.ones((1, 300, 300))
    grouped = [primitive for primitive in PRIMITIVES.values() if primitive.family == "grouped"]
    assert grouped
    for primitive in grouped:
        with traced() as peak:
            assert (primitive.on_numpy_steadily(x, index, weights) == 300.0).all()
            assert peak() < 64 << 20  # all of them take 343 MiB


@pytest.mark.parametrize(("name", "arguments"), having("deep").items())
def test_descending_a_tree_holds_one_level(name, arguments):
    rule = RULES[name]
    arguments, _ = rule.bound(arguments, {})
    planned = rule.plan(*arguments).nbytes
    with traced() as peak:
        rule.run(*arguments)
        assert peak() <= 2 * planned
        rule.touched(*arguments)
        assert peak() <= 3 * planned


def test_trying_tiles_takes_little_beside_the_matrix():
    columns = 300_007
    with traced() as peak:
        tiles.tiles_of((1, columns), False, "d")
        assert peak() <= 80 * columns + SLACK


def test_trying_tiles_of_narrow_numbers_takes_no_wide_ones():
    size = 200 * 30_011
    with traced() as peak:
        tiles.tiles_of((200, 30_011), False, "f")
        assert peak() <= 2 * 4 * size


def test_the_secrets_that_arrays_carry_are_held():
    """A look at an array that was joined of thousands of selections carries the secrets of all of them."""
    meter = Meter(memory_limit=1 << 24)
    x = meter.begin(np.ones(1))
    joined = meter.xp.concat([x[x > 0.0] for _ in range(1000)])
    before = meter.engine.memory.held
    looks = [joined[1:], joined[2:]]
    assert meter.engine.memory.held - before >= 2 * sys.getsizeof(frozenset(range(1000)))
    with pytest.raises(MemoryLimitError):
        looks += [joined[place:] for place in range(1000)]
    del looks
    assert meter.engine.memory.held == before
