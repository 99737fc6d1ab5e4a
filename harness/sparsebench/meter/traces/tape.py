"""Recording the requests to an engine for an input, and replaying them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sparsebench.errors import IntegrityError, SparsebenchError
from sparsebench.meter.engine.shelf import copied
from sparsebench.meter.engine.values import array_hash
from sparsebench.meter.ledger import PHASES
from sparsebench.meter.traces.trace import pack, unpack
from sparsebench.meter.values import Description, Handle

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from sparsebench.meter.engine.engine import Engine, Request
    from sparsebench.meter.traces.trace import Stream

__all__ = ["MOST_CONSTANT_BYTES", "MOST_STREAM_BYTES", "Player", "Tape"]

MOST_STREAM_BYTES = 32 << 20
"""Bytes of different streams, as JSON, that one trace may hold."""

MOST_CONSTANT_BYTES = 256 << 20
"""Bytes of different arrays that a submission made by itself, that one trace may hold."""

_MEND = "evaluate the cell again with --traces"


class Tape:
    """A recorder of the requests to an engine, which it observes.

    Parameters
    ----------
    engine
        The engine; it holds the model.

    Attributes
    ----------
    constants
        Arrays that the submission made by itself, by :func:`array_hash`.
    full
        Whether there was more than a trace may hold. From then on nothing is recorded.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._parameters: dict[int, dict[str, Any]] = {
            told.handle.number: {"p": name} for name, told in engine.parameters.items()
        }
        self._left, self._left_constants = MOST_STREAM_BYTES, MOST_CONSTANT_BYTES
        self._streams: dict[str, str] = {}
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        self.full = False
        self.begin(Handle(-1))

    def begin(self, x: Handle, tag: Handle | None = None) -> None:
        """Begin the stream of the input behind ``x``, and of its domain if that is given."""
        self._results = {x.number: {"h": 0}}
        self._others = self._parameters if tag is None else {**self._parameters, tag.number: {"t": 0}}
        self._requests: dict[str, list[str]] = {phase: [] for phase in PHASES}
        self._spent = 0

    def __call__(self, request: Request) -> None:
        """Record one request that was answered."""
        if self.full:
            return
        line = json.dumps(self._line(request), separators=(",", ":"), allow_nan=False)
        self._requests[self._engine.phase].append(line)
        self._spent += len(line) + 1
        told = request.told if isinstance(request.told, list) else [request.told]
        if request.what in {"call", "constant"} and request.told is not None:
            for about in told:
                self._results[about.handle.number] = {"h": len(self._results)}
        # The room left for different streams is checked at the end: this one may be known.
        self.full = self._spent > MOST_STREAM_BYTES or self._left_constants < 0

    def end(self, answer: Handle, routes: tuple[Handle, Handle | None] | None = None) -> str:
        """End the stream, and return its line, empty if the tape is full. Equal streams are kept once."""
        if self.full:
            return ""
        named = None if routes is None else [None if part is None else self._name(part) for part in routes]
        router, experts = (f"[{','.join(self._requests[phase])}]" for phase in PHASES)
        dumped = [json.dumps(part, separators=(",", ":")) for part in (named, self._name(answer))]
        router = "null" if routes is None else router
        line = f'{{"router":{router},"routes":{dumped[0]},"experts":{experts},"answer":{dumped[1]}}}'
        if line not in self._streams:
            self._left -= len(line) + 1
            self.full = self._left < 0
        return self._streams.setdefault(line, line)

    def _line(self, request: Request) -> list[Any]:
        if request.what == "call":
            kwargs = {key: pack(value, self._name) for key, value in request.kwargs.items()}
            return ["call", request.name, pack(request.args, self._name), kwargs]
        if request.what == "constant":
            return ["constant", *self._keep(request.args[0])]
        told = list(request.told) if request.what == "shape" else request.told
        return [request.what, self._name(request.args[0]), told]

    def _keep(self, array: np.ndarray[Any, Any]) -> tuple[str, str, list[int]]:
        array = copied(array)  # as the engine keeps it
        name = array_hash(array)
        if name not in self.constants:
            self.constants[name] = array
            self._left_constants -= array.nbytes
        return name, array.dtype.name, list(array.shape)

    def _name(self, handle: Handle) -> dict[str, Any]:
        return self._results.get(handle.number) or self._others[handle.number]


class Player:
    """A replay of a stream's requests on an engine, which compares the answers with the recorded ones.

    Parameters
    ----------
    engine
        Holds the model; its batch is one input.
    stream
        The requests.
    constants
        The arrays that the stream brings, by hash.
    x
        The input.
    place
        What to call the input in errors.
    tag
        Its domain; None if it is not given.
    """

    def __init__(
        self,
        engine: Engine,
        stream: Stream,
        constants: Mapping[str, np.ndarray[Any, Any]],
        x: Handle,
        place: str,
        tag: Handle | None = None,
    ) -> None:
        self._engine, self._stream, self._constants, self._place = engine, stream, constants, place
        self._results, self._tag = [x], tag
        self._made_by = ["the input"]
        self._asked = 0
        self._last = stream.last_uses()
        self._ends: dict[int, list[int]] = {}
        for number, request in self._last.items():
            self._ends.setdefault(request, []).append(number)

    def play(self, phase: str) -> None:
        """Make the requests of a phase. Arrays are dropped when they are not needed, as in the recorded run.

        Raises
        ------
        IntegrityError
            If the engine refuses one, or reveals another bit or another shape than recorded.
        """
        for request in (self._stream.router or []) if phase == "router" else self._stream.experts:
            try:
                fault = self._ask(*request)
            except SparsebenchError as error:
                fault = error.what
            except Exception as error:  # noqa: BLE001 - made by a stranger's file; its text may hold values
                fault = f"the meter could not do it: {type(error).__name__}"
            if fault:
                raise self._fault(f"request {self._asked} ({self._label(request)})", fault)
            self._drop()
            self._asked += 1

    def handle(self, name: dict[str, Any] | None) -> Handle:
        """Return the handle of a named answer.

        Raises
        ------
        IntegrityError
            If nothing has that name.
        """
        try:
            return self._find(name or {})
        except IntegrityError as error:
            raise self._fault("the answer", error.what) from None

    def _ask(self, what: str, *rest: Any) -> str:
        """Make one request; return what is wrong, or nothing."""
        if what == "call":
            name, args, kwargs = rest
            named = {key: unpack(value, self._find) for key, value in kwargs.items()}
            told = self._engine.call(name, unpack(args, self._find), named)
            self._note(name, told if isinstance(told, list) else [told] if told else [])
            return ""
        if what == "constant":
            self._note("constant", [self._engine.constant(self._constants[rest[0]])])
            return ""
        handle, told = self._find(rest[0]), rest[1]
        got = self._engine.reveal_bit(handle) if what == "bit" else list(self._engine.reveal_shape(handle))
        return "" if got == told else f"{what} differs: expected {told}, got {got}"

    def _note(self, name: str, told: list[Description]) -> None:
        for about in told:
            if len(self._results) not in self._last:  # it is not used
                self._ends.setdefault(self._asked, []).append(len(self._results))
            self._results.append(about.handle)
            self._made_by.append(name)

    def _drop(self) -> None:
        self._engine.free(
            self._results[number].number
            for number in self._ends.get(self._asked, ())
            if 0 < number < len(self._results)
        )

    def _find(self, name: dict[str, Any]) -> Handle:
        number: int = name.get("h", -1)
        if 0 <= number < len(self._results):
            return self._results[number]
        if name.get("p") in self._engine.parameters:
            return self._engine.parameters[name["p"]].handle
        if "t" in name and self._tag is not None:
            return self._tag
        raise IntegrityError(
            f"expected a result made before, the input or a parameter, got {json.dumps(name)}"
        )

    def _label(self, request: list[Any]) -> str:
        """Return the operation's name: for a bit or a shape, that of the one that made the array."""
        if request[0] in {"call", "constant"}:
            return str(request[1]) if request[0] == "call" else "constant"
        number: int = request[1].get("h", -1)
        if 0 <= number < len(self._made_by):
            return self._made_by[number]
        return "the tag" if "t" in request[1] else str(request[1].get("p", number))

    def _fault(self, where: str, what: str) -> IntegrityError:
        return IntegrityError(f"{self._place}: {where}: {what}", help=_MEND)
