"""The connections between a submission and the meter: within one process, or over a pipe between two."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from sparsebench.errors import UncountedOperationError
from sparsebench.meter import wire
from sparsebench.meter.client.foresight import Foresight

if TYPE_CHECKING:
    from collections.abc import Hashable
    from types import CodeType, FrameType

    import numpy as np

    from sparsebench.meter.engine.engine import Engine
    from sparsebench.meter.values import Description, Handle

__all__ = ["InProcess", "OverPipe", "Transport", "place_of"]

_MOST_WAITING = 512
_MOST_BYTES = 1 << 20


class Transport(Protocol):
    """The interface by which the client's side asks the engine."""

    def call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Description | list[Description] | None:
        """Execute an operation."""
        ...

    def constant(self, array: np.ndarray[Any, Any]) -> Description:
        """Give an array of the client's own to the meter."""
        ...

    def reveal_bit(self, handle: Handle) -> bool:
        """Ask for the truth of a one-element array."""
        ...

    def reveal_shape(self, handle: Handle) -> tuple[int, ...]:
        """Ask for a shape that depends on values."""
        ...

    def drop(self, handle: Handle) -> None:
        """Report that an array is not needed any more."""
        ...


class InProcess:
    """A direct connection to an engine. It is for authors of submissions; scores use a pipe."""

    def __init__(self, engine: Engine) -> None:
        self.call = engine.call
        self.constant = engine.constant
        self.reveal_bit = engine.reveal_bit
        self.reveal_shape = engine.reveal_shape
        self._engine = engine

    def drop(self, handle: Handle) -> None:
        """Free at once."""
        self._engine.free([handle.number])


class OverPipe:
    """The client's end of a pipe. Dropped handles are sent with the next request.

    Requests with predicted answers wait, and are sent together with the first request without one, or with
    the submission's own answer: a round trip takes longer than most operations.
    """

    def __init__(self, pipe: wire.Pipe) -> None:
        self._pipe = pipe
        self._dropped: list[int] = []
        self._waiting: list[_Waiting] = []
        self._bytes = 0
        self._sent: list[_Waiting] = []
        self.foresight = Foresight()

    def drop(self, handle: Handle) -> None:
        """Store the handle, to be sent with the next request."""
        self._dropped.append(handle.number)

    def call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Description | list[Description] | None:
        """Execute an operation."""
        named = {key: wire.pack(value) for key, value in kwargs.items()} if kwargs else {}
        request = _Waiting({"call": name, "args": wire.pack(args), "kwargs": named})
        return self._foreseen(self.foresight.key(name, args, kwargs), request)

    def constant(self, array: np.ndarray[Any, Any]) -> Description:
        """Give an array of the client's own to the meter."""
        about = [array.dtype.name, list(array.shape)]
        key = "constant", array.dtype, array.shape
        told = self._foreseen(key, _Waiting({"constant": about}, array.tobytes()))
        assert told is not None
        assert not isinstance(told, list)
        return told

    def reveal_bit(self, handle: Handle) -> bool:
        """Ask for the truth of a one-element array."""
        bit = bool(self._ask(_Waiting({"bit": handle.number})))
        self.foresight.answered(("bit", self.foresight.number(handle), bit))
        return bit

    def reveal_shape(self, handle: Handle) -> tuple[int, ...]:
        """Ask for a shape that depends on values."""
        shape = tuple(self._ask(_Waiting({"shape": handle.number})))
        self.foresight.answered(("shape", self.foresight.number(handle), shape))
        return shape

    def take(self) -> tuple[dict[str, Any], bytes]:
        """Return the requests that still wait, to be sent with another message."""
        requests, payload = self._packed()
        return ({"batch": requests} if requests else {}), payload

    def forget(self) -> None:
        """Discard the requests that wait, and stop predicting answers."""
        self._waiting.clear()
        self._bytes = 0
        self.foresight.lose()

    def settle(self) -> None:
        """Send the requests that wait, and wait until they are done.

        Raises
        ------
        ValueError
            If an operation failed; :func:`place_of` returns its place.
        """
        if self._waiting:
            self._exchange()

    def fail(self, reply: dict[str, Any]) -> NoReturn:
        """Raise the meter's error about the requests that were sent last."""
        place = reply.get("at")
        raised = wire.RAISED.get(reply["raise"])
        if raised is None:
            raise UncountedOperationError(reply["text"], help=reply.get("help", ""))
        error = raised(reply["text"])
        if place is not None and place < len(self._sent):
            error.__dict__["asked_at"] = self._sent[place].asked_at
        raise error

    def _foreseen(self, key: Hashable, request: _Waiting) -> Description | list[Description] | None:
        if self._knows(key):
            self._wait(request)
            return self.foresight.told
        told = _descriptions(self._ask(request))
        self.foresight.learn(key, told)
        return told

    def _knows(self, key: Hashable) -> bool:
        try:
            return self.foresight.foresees(key)
        except TypeError:  # a value without a hash, which the wire refuses
            return False

    def _wait(self, request: _Waiting) -> None:
        self._put(request)
        request.asked_at = _asked_at()
        self._bytes += len(request.payload)
        if len(self._waiting) >= _MOST_WAITING or self._bytes >= _MOST_BYTES:
            self._exchange()

    def _put(self, request: _Waiting) -> None:
        """Let a request wait, together with the handles that were dropped before it."""
        if self._dropped:
            request.header["free"], self._dropped = self._dropped, []
        self._waiting.append(request)

    def _ask(self, request: _Waiting) -> Any:
        """Send a request after those that wait, and return the answer."""
        self._put(request)
        if len(self._waiting) > 1:
            return self._exchange()
        self._waiting.clear()
        self._sent = []
        self._pipe.send(request.header, request.payload)
        return self._answer()

    def _exchange(self) -> Any:
        requests, payload = self._packed()
        self._pipe.send({"batch": requests}, payload)
        return self._answer()

    def _packed(self) -> tuple[list[dict[str, Any]], bytes]:
        self._sent, self._waiting, self._bytes = self._waiting, [], 0
        return [request.sized() for request in self._sent], b"".join([r.payload for r in self._sent])

    def _answer(self) -> Any:
        try:
            reply, _ = self._pipe.receive()
            if "raise" not in reply:
                return reply["ok"]
            self.fail(reply)
        except BaseException:
            self.foresight.lose()
            raise


class _Waiting:
    """A request in JSON, and the place in the submission's code that made it."""

    __slots__ = ("asked_at", "header", "payload")

    def __init__(self, header: dict[str, Any], payload: bytes = b"") -> None:
        self.header = header
        self.payload = payload
        self.asked_at: tuple[CodeType, int] | None = None

    def sized(self) -> dict[str, Any]:
        """Return it with the number of its bytes in the payload."""
        return {**self.header, "bytes": len(self.payload)} if self.payload else self.header


def _asked_at() -> tuple[CodeType, int] | None:
    """Find the current instruction outside of this package; this is cheap, since every request does it."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - inspect.currentframe would build more
    while frame is not None and frame.f_globals.get("__name__", "").startswith("sparsebench."):
        frame = frame.f_back
    return None if frame is None else (frame.f_code, frame.f_lasti)


def place_of(error: BaseException) -> traceback.FrameSummary | None:
    """Find the place of the operation that caused an error, if the submission did not wait for it there."""
    asked_at = error.__dict__.get("asked_at")
    if asked_at is None:
        return None
    code, instruction = asked_at
    begins = [line for start, stop, line in code.co_lines() if start <= instruction < stop]
    return traceback.FrameSummary(code.co_filename, begins[0] if begins else None, code.co_name)


def _descriptions(told: Any) -> Description | list[Description] | None:
    if told is None:
        return None
    several = not told or isinstance(told[0], list)  # none is treated as several
    return [wire.unpack_description(part) for part in told] if several else wire.unpack_description(told)
