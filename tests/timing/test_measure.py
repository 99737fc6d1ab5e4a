"""Clocks that are told the time: what is repeated, how often, and what comes of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from sparsebench.timing import Effort, HostClock, measure, spread


def clock_of(*seconds):
    """Give a clock on which calls take these seconds, again and again."""
    told = itertools.cycle(seconds)
    now = itertools.accumulate(itertools.chain.from_iterable((0.0, second) for second in told))
    return HostClock(now=lambda: next(now))


def test_the_clock_gives_the_time_of_one_call():
    clock = clock_of(1.0, 2.5)
    ran = []
    assert clock.seconds(lambda: ran.append(1)) == pytest.approx(1.0)
    assert clock.seconds(lambda: ran.append(2)) == pytest.approx(2.5)
    assert ran == [1, 2]


def test_spread_is_median_and_quartiles():
    assert spread([5.0, 1.0, 2.0, 3.0, 4.0]) == (3.0, 2.0, 4.0, 5)
    assert spread([7.0]) == (7.0, 7.0, 7.0, 1)


@pytest.mark.parametrize(
    ("effort", "each", "runs"),
    [
        (Effort(least=3, seconds=0.0, most=9), 1.0, 3),
        (Effort(least=3, seconds=5.0, most=9), 1.0, 5),
        (Effort(least=3, seconds=100.0, most=9), 1.0, 9),
    ],
)
def test_runs_go_on_until_it_is_enough(effort, each, runs):
    found = measure(lambda x: x, [(0,)], clock_of(each), lambda: None, effort)
    assert (found.cold.runs, found.warm.runs) == (runs, runs)
    assert found.cold.median == found.warm.median == pytest.approx(each)


def test_cold_runs_take_turns_over_sets_after_a_flush_and_warm_ones_repeat_the_first():
    log = []
    effort = Effort(least=4, seconds=0.0)
    measure(log.append, [("a",), ("b",), ("c",)], clock_of(1.0), lambda: log.append("flush"), effort)
    cold = ["flush", "a", "flush", "b", "flush", "c", "flush", "a"]
    assert log == [*cold, *["a"] * (1 + 4)], "the first warm run only fills the caches"


def test_answers_that_were_timed_are_shown_outside_of_the_time():
    now, log = itertools.count(), []

    class Told:
        def seconds(self, call):
            log.append("begin")
            call()
            log.append("end")
            return float(next(now))

    def see(number, answer):
        log.append((number, answer))

    numbers = itertools.count()
    effort = Effort(least=1, seconds=0.0)
    found = measure(lambda x: (x, next(numbers)), [("a",), ("b",)], Told(), lambda: None, effort, see)
    timed = ["begin", "end"]
    cold = [*timed, (0, ("a", 0)), *timed, (1, ("b", 1))]
    assert log == [*cold, *timed, *timed, (0, ("a", 3))], "the first warm run only fills the caches"
    assert (found.cold.runs, found.warm.runs) == (2, 1), "every set has a cold run"


def test_an_answer_is_gone_before_the_next_is_made():
    alive = []

    class Answer:
        def __init__(self, _):
            assert not alive, "memory of two answers at once"
            alive.append(1)

        def __del__(self):
            alive.pop()

    measure(Answer, [(0,), (1,)], clock_of(1.0), lambda: None, Effort(least=3, seconds=0.0))


def test_a_result_dies_after_the_clock_stopped():
    order = []

    class Result:
        def __del__(self):
            order.append("gone")

    def now():
        order.append("now")
        return 0.0

    HostClock(now=now).seconds(Result)
    assert order == ["now", "now", "gone"]


def test_spread_takes_numpy_numbers():
    assert spread(list(np.arange(3.0))).median == 1.0
