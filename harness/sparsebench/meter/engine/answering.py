"""What a request from a pipe asks, done: the other end of the client's transport over a pipe."""

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
    """Do what a request from a pipe asks; give the reply. The other end of :class:`OverPipe`.

    Parameters
    ----------
    engine
        The meter.
    request, payload
        What came: one request, or a batch of them. Of a batch, the reply to the last one is given, or to the
        first that fails, ``at`` its place; those after it are not done.
    before
        Told the place of each request before it is done. May raise.

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
