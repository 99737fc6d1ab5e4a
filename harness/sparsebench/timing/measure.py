"""Seconds of a call: with caches emptied before every run, and with everything where the last run left it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Clock", "Effort", "EventClock", "HostClock", "Measured", "Spread", "measure", "spread"]


class Clock(Protocol):
    """What times a call."""

    def seconds(self, call: Callable[[], object]) -> float:
        """Run a call to its end and give the seconds that it took."""


class HostClock:
    """The processor's clock.

    Parameters
    ----------
    now
        Gives the present moment in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now

    def seconds(self, call: Callable[[], object]) -> float:
        """Run a call and give the seconds that it took, the end of its result's life not among them."""
        begin = self._now()
        result = call()
        end = self._now()
        del result
        return end - begin


class EventClock:
    """A GPU's clock: events before and after a call on CuPy's current stream."""

    def __init__(self) -> None:
        import cupy  # noqa: PLC0415 - only where there is a GPU

        self._cupy = cupy
        self._begin, self._end = cupy.cuda.Event(), cupy.cuda.Event()

    def seconds(self, call: Callable[[], object]) -> float:
        """Run a call, wait for the device, and give the seconds between the events."""
        self._begin.record()
        result = call()
        self._end.record()
        self._end.synchronize()
        del result
        return float(self._cupy.cuda.get_elapsed_time(self._begin, self._end)) / 1e3


@dataclass(frozen=True)
class Effort:
    """How long something is repeated."""

    least: int = 9
    """Runs at least."""
    seconds: float = 0.5
    """Measured seconds after which it is enough, if there are so many runs."""
    most: int = 200
    """Runs at most."""

    def enough(self, seconds: Sequence[float]) -> bool:
        """Tell whether these runs will do."""
        count = len(seconds)
        return count >= self.most or (count >= self.least and sum(seconds) >= self.seconds)


QUICK = Effort(least=3, seconds=0.05, most=20)


class Spread(NamedTuple):
    """Seconds of many runs."""

    median: float
    q1: float
    q3: float
    runs: int


class Measured(NamedTuple):
    """Both ways of running."""

    cold: Spread
    """Caches emptied before every run, and another set of inputs each time."""
    warm: Spread
    """One set of inputs again and again."""


def spread(seconds: Sequence[float]) -> Spread:
    """Give the median and the quartiles.

    Parameters
    ----------
    seconds
        At least one.
    """
    low, middle, high = np.quantile(np.asarray(seconds), (0.25, 0.5, 0.75))
    return Spread(float(middle), float(low), float(high), len(seconds))


def measure(
    call: Callable[..., object],
    sets: Sequence[tuple[Any, ...]],
    clock: Clock,
    flush: Callable[[], object],
    effort: Effort,
    see: Callable[[int, Any], object] = lambda number, answer: None,  # noqa: ARG005 - nothing is looked at
) -> Measured:
    """Time a call on several sets of inputs.

    Parameters
    ----------
    call
        What is timed. It was called before: nothing is compiled, loaded or allocated for the first time.
    sets
        Arguments, drawn anew for every set.
    clock
        What times it.
    flush
        Empties the caches.
    effort
        How often, for each of the two ways; every set has a cold run, even if fewer would be enough.
    see
        Is given timed answers, outside of the time, and the numbers of their sets: of every set's first cold
        run, and of the last warm one.
    """
    answer: list[Any] = []

    def timed(args: tuple[Any, ...]) -> float:
        answer.clear()  # so that the memory of the last answer is free for this one
        return clock.seconds(lambda: answer.append(call(*args)))

    cold: list[float] = []
    while len(cold) < len(sets) or not effort.enough(cold):
        number = len(cold) % len(sets)
        flush()
        cold.append(timed(sets[number]))
        if len(cold) <= len(sets):
            see(number, answer[0])
    warm: list[float] = []
    timed(sets[0])  # fills the caches
    while not effort.enough(warm):
        warm.append(timed(sets[0]))
    see(0, answer[0])
    return Measured(spread(cold), spread(warm))
