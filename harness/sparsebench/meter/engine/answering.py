"""What a request from a pipe asks, done: the other end of the client's transport over a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.errors import UncountedOperationError
from sparsebench.meter import wire
from sparsebench.meter.values import Description, Handle

if TYPE_CHECKING:
    from sparsebench.meter.engine.engine import Engine

__all__ = ["answer"]


def answer(engine: Engine, request: dict[str, Any], payload: bytes) -> dict[str, Any]:
    """Do what a request from a pipe asks; give the reply. The other end of :class:`OverPipe`.

    Raises
    ------
    CellError
        If the cell must end.
    """
    try:
        engine.free(wire.numbers(request.get("free", [])))
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
