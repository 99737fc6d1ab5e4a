"""Prediction of the meter's answers: the requests for an input are mostly those for an earlier one.

An answer is a number, a dtype and the public part of a shape. All three follow from what was given, asked and
answered since an input was given; values decide them only through bits and shapes that were paid for, which
are answers too. So on a known path of requests nobody needs to wait for the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.meter.values import Description, Handle

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

__all__ = ["MOST_STEPS", "Foresight"]

MOST_STEPS = 1 << 15
"""Requests that are remembered: some megabytes. Those that come after are waited for."""


class _Step:
    """The answer to a request, and the requests that followed. Numbers count from a base."""

    __slots__ = ("several", "then", "told")

    def __init__(self, told: tuple[tuple[Any, ...], ...] | None = None, *, several: bool = False) -> None:
        self.told = told
        self.several = several
        self.then: dict[Hashable, _Step] = {}


class Foresight:
    """Known paths of requests to the meter: a tree of requests.

    Attributes
    ----------
    told
        The answer to the request that :meth:`foresees` has found.
    """

    def __init__(self) -> None:
        self.told: Description | list[Description] | None = None
        self._last_parameter = -1
        self._forget()
        self._base = 0

    def _forget(self) -> None:
        self._begins: dict[Hashable, _Step] = {}
        self._here: _Step | None = None
        self._steps = 0

    def hold(self, parameters: Iterable[Description]) -> None:
        """Start anew with these parameters: only their numbers stay the same."""
        self._last_parameter = max((told.handle.number for told in parameters), default=-1)
        self._forget()

    def begin(self, what: str, given: Iterable[Description | None], upcoming: int) -> None:
        """Go to the point at which an input is given.

        Parameters
        ----------
        what
            The method that gets it.
        given
            The harness's descriptions of it.
        upcoming
            The number that the meter gives to the next array.
        """
        self._base = upcoming
        key = what, self._relative(given)
        if key not in self._begins and self._full():
            self._here = None
        else:
            self._here = self._begins.setdefault(key, _Step())

    def go_on(self, what: str, given: Iterable[Description | None], upcoming: int) -> None:
        """Go to the point at which another method gets the same input."""
        self.answered((what, upcoming - self._base, self._relative(given)))

    def key(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Hashable:
        """Return a request's key, which does not depend on the present numbers of arrays."""
        return name, self._looks(args), self._looks(tuple(kwargs.items())) if kwargs else None

    def number(self, handle: Handle) -> int:
        """Return an array's number in the form that is the same in every repetition."""
        return handle.number - self._base

    def foresees(self, key: Hashable) -> bool:
        """Return whether the answer to a request is known; if so, the request counts as answered."""
        step = None if self._here is None else self._here.then.get(key)
        if step is None:
            return False
        self._here = step
        told = None if step.told is None else [self._absolute(part) for part in step.told]
        self.told = told[0] if told and not step.several else told
        return True

    def learn(self, key: Hashable, told: Description | list[Description] | None) -> None:
        """Store the answer to a request."""
        several = isinstance(told, list)
        parts = told if isinstance(told, list) else [told]
        self._go(key, _Step(None if told is None else self._relative(parts), several=several))

    def answered(self, key: Hashable) -> None:
        """Store an answer that values decide; it becomes part of the key, since other paths follow it."""
        known = None if self._here is None else self._here.then.get(key)
        if known is not None:
            self._here = known
        else:
            self._go(key, _Step())

    def lose(self) -> None:
        """Stop until the next input: nothing is known any more."""
        self._here = None

    def _go(self, key: Hashable, step: _Step) -> None:
        if self._here is None or self._full():
            self._here = None
            return
        self._here.then[key] = step
        self._here = step

    def _full(self) -> bool:
        self._steps += 1
        return self._steps > MOST_STEPS

    def _relative(self, told: Iterable[Description | None]) -> tuple[tuple[Any, ...], ...]:
        return tuple([() if part is None else (self.number(part.handle), *part[1:]) for part in told])

    def _absolute(self, part: tuple[Any, ...]) -> Description:
        number, dtype, ndim, shape = part
        return Description(Handle(number + self._base), dtype, ndim, shape)

    def _looks(self, value: Any) -> Hashable:
        kind = type(value)
        if kind is Handle:
            return value.number - self._base if value.number > self._last_parameter else (Handle, *value)
        if kind is tuple:
            return tuple([self._looks(item) for item in value])
        if kind is slice:  # which has no hash before Python 3.12
            return slice, value.start, value.stop, value.step
        return kind, value  # True is not 1, and 1.0 makes another dtype
