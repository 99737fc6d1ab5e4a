"""Execution of requests from a pipe: the other end of the client's transport."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.errors import UncountedOperationError
from sparsebench.meter import wire
from sparsebench.meter.values import Description, Handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.meter.engine.engine import Engine

__all__ = ["answer"]


def answer(
    engine: Engine, request: dict[str, Any], payload: bytes, *, before: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Execute a request from a pipe, and return the reply. It is the other end of :class:`OverPipe`.

    Parameters
    ----------
    engine
        The meter.
    request, payload
        One request, or a batch of them. For a batch, the reply is that of the last request, or of the first
        that fails, with its place as ``at``; later ones are not executed.
    before
        Called with the place of each request before it is executed. It may raise.

    Raises
    ------
    CellError
        If the cell must end.
    """
    reply: dict[str, Any] = {}
    for place, (one, part) in enumerate(wire.requests(request, payload)):
        if before:
            before(place)
        reply = _reply(engine, one, part)
        if "raise" in reply and "batch" in request:
            return {**reply, "at": place}
    return reply


def _reply(engine: Engine, request: dict[str, Any], payload: bytes) -> dict[str, Any]:
    try:
        if "free" in request:
            engine.free(wire.numbers(request["free"]))
        return {"ok": _obey(engine, request, payload)}
    except UncountedOperationError as error:
        return {"raise": "UncountedOperationError", "text": error.what, "help": error.help}
    except tuple(wire.RAISED.values()) as error:
        kind = next(name for name, known in wire.RAISED.items() if isinstance(error, known))
        return {"raise": kind, "text": str(error)}


def _obey(engine: Engine, request: dict[str, Any], payload: bytes) -> Any:
    if "call" in request:
        told = engine.call(*wire.arguments(request))
        return [wire.pack_description(part) for part in told] if isinstance(told, list) else _packed(told)
    if "bit" in request:
        return engine.reveal_bit(Handle(*wire.numbers([request["bit"]])))
    if "shape" in request:
        return list(engine.reveal_shape(Handle(*wire.numbers([request["shape"]]))))
    return _packed(engine.constant(wire.array(request.get("constant"), payload)))


def _packed(told: Description | None) -> list[Any] | None:
    return None if told is None else wire.pack_description(told)
