"""Seconds of a call: with caches emptied before every run (cold), and as the last run left them (warm)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Clock", "Effort", "EventClock", "HostClock", "Measured", "Spread", "measure", "spread"]


class Clock(Protocol):
    """The interface that times a call."""

    def seconds(self, call: Callable[[], object]) -> float:
        """Run a call to its end and return its seconds."""


class HostClock:
    """The processor's clock.

    Parameters
    ----------
    now
        Returns the present time in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now

    def seconds(self, call: Callable[[], object]) -> float:
        """Run a call and return its seconds, without the time to free its result."""
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
        """Run a call, wait for the device, and return the seconds between the events."""
        self._begin.record()
        result = call()
        self._end.record()
        self._end.synchronize()
        del result
        return float(self._cupy.cuda.get_elapsed_time(self._begin, self._end)) / 1e3


@dataclass(frozen=True)
class Effort:
    """The number of repetitions of a call, and their time."""

    least: int = 9
    """Runs at least."""
    seconds: float = 0.5
    """Measured seconds after which it is enough, if there are so many runs."""
    most: int = 200
    """Runs at most."""

    def enough(self, seconds: Sequence[float]) -> bool:
        """Return whether these runs are enough."""
        count = len(seconds)
        return count >= self.most or (count >= self.least and sum(seconds) >= self.seconds)


QUICK = Effort(least=3, seconds=0.05, most=20)


class Spread(NamedTuple):
    """The seconds of many runs."""

    median: float
    q1: float
    q3: float
    runs: int


class Measured(NamedTuple):
    """The times of both ways of running."""

    cold: Spread
    """Caches emptied before every run, and another set of inputs each time."""
    warm: Spread
    """One set of inputs again and again."""


def spread(seconds: Sequence[float]) -> Spread:
    """Return the median and the quartiles.

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
        The call to time. It has been called before, so nothing is compiled, loaded or allocated for the first
        time.
    sets
        Arguments, drawn anew for every set.
    clock
        The clock.
    flush
        Empties the caches.
    effort
        How long to repeat each of the two ways; every set has a cold run, even if fewer would be enough.
    see
        Called, outside of the measured time, with answers and the numbers of their sets: for every set's
        first cold run, and for the last warm one.
    """
    answer: list[Any] = []

    def timed(args: tuple[Any, ...]) -> float:
        answer.clear()  # this frees the memory of the last answer
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
