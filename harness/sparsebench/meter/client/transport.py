"""The ways between a submission and the meter: within one process, or over a pipe between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from sparsebench.errors import UncountedOperationError
from sparsebench.meter import wire

if TYPE_CHECKING:
    import numpy as np

    from sparsebench.meter.engine.engine import Engine
    from sparsebench.meter.values import Description, Handle

__all__ = ["InProcess", "OverPipe", "Transport"]


class Transport(Protocol):
    """How the client's side asks the engine."""

    def call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Description | list[Description] | None:
        """Execute an operation."""
        ...

    def constant(self, array: np.ndarray[Any, Any]) -> Description:
        """Put an array of the client's own under the meter."""
        ...

    def reveal_bit(self, handle: Handle) -> bool:
        """Ask for the truth of a one-element array."""
        ...

    def reveal_shape(self, handle: Handle) -> tuple[int, ...]:
        """Ask for a shape that depends on values."""
        ...

    def drop(self, handle: Handle) -> None:
        """Say that an array is not needed any more."""
        ...


class InProcess:
    """Straight to an engine. For people who write submissions; scores come over a pipe."""

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
    """The client's end of a pipe. Dropped handles travel with the next request."""

    def __init__(self, pipe: wire.Pipe) -> None:
        self._pipe = pipe
        self._dropped: list[int] = []

    def drop(self, handle: Handle) -> None:
        """Remember to say so."""
        self._dropped.append(handle.number)

    def call(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Description | list[Description] | None:
        """Execute an operation."""
        request = {
            "call": name,
            "args": wire.pack(args),
            "kwargs": {k: wire.pack(v) for k, v in kwargs.items()},
        }
        told = self._ask(request)
        if told is None:
            return None
        several = not told or isinstance(told[0], list)  # none at all are several as well
        return [wire.unpack_description(part) for part in told] if several else wire.unpack_description(told)

    def constant(self, array: np.ndarray[Any, Any]) -> Description:
        """Put an array of the client's own under the meter."""
        request = {"constant": [array.dtype.name, list(array.shape)]}
        return wire.unpack_description(self._ask(request, array.tobytes()))

    def reveal_bit(self, handle: Handle) -> bool:
        """Ask for the truth of a one-element array."""
        return bool(self._ask({"bit": handle.number}))

    def reveal_shape(self, handle: Handle) -> tuple[int, ...]:
        """Ask for a shape that depends on values."""
        return tuple(self._ask({"shape": handle.number}))

    def _ask(self, request: dict[str, Any], payload: bytes = b"") -> Any:
        dropped, self._dropped = self._dropped, []
        self._pipe.send({**request, "free": dropped} if dropped else request, payload)
        reply, _ = self._pipe.receive()
        if "raise" not in reply:
            return reply["ok"]
        raised = wire.RAISED.get(reply["raise"])
        if raised is None:
            raise UncountedOperationError(reply["text"], help=reply.get("help", ""))
        raise raised(reply["text"])
