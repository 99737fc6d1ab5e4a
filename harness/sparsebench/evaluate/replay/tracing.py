"""Traces of cells: the one-by-one pass recorded, and replayed without the submission's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.errors import CellError, IntegrityError
from sparsebench.evaluate.passes.metering import run_single
from sparsebench.meter import COST_MODEL, Engine
from sparsebench.meter.traces.tape import Player, Tape
from sparsebench.meter.traces.trace import Stream
from sparsebench.meter.traces.trace_file import Inputs as TracedInputs
from sparsebench.meter.traces.trace_file import Trace
from sparsebench.ops.core import native

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.passes.passes import Model, Single
    from sparsebench.evaluate.plan import Cell
    from sparsebench.meter import Description, Handle

__all__ = ["Recorded", "Replayed", "make_trace", "replay", "run_recorded", "trace_path"]

_MEMORY = 4 << 30  # bytes that a replay may hold, as for a cell by default


def trace_path(store: Path, cell_key: str) -> Path:
    """Return the path of a cell's trace in the directory of a store."""
    return store / "traces" / f"{cell_key}.sbtrace"


class Recorded:
    """A model whose requests are recorded, one input at a time.

    Parameters
    ----------
    model
        The model.
    engine
        The engine that it asks.

    Attributes
    ----------
    tape
        The record.
    lines
        Row -> the line of its stream. Rows of a continued pass are numbered on.
    """

    def __init__(self, model: Model, engine: Engine) -> None:
        self._model = model
        self._row, self._before = -1, 0
        self._routes: tuple[Handle, Handle | None] | None = None
        self.routed = model.routed
        self.tape = Tape(engine)
        self.lines: dict[int, str] = {}

    def go_on(self, model: Model) -> None:
        """Continue with further inputs, in another process of the same model."""
        self._model, self._before = model, len(self.lines)

    def announce(self, row: int) -> None:
        """Store the number of the next row."""
        self._row = self._before + row

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict."""
        self.tape.begin(x.handle, None if tag is None else tag.handle)
        return self._end(self._model.predict(engine, x, tag))

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Return experts and gates."""
        self.tape.begin(x.handle, None if tag is None else tag.handle)
        self._routes = self._model.route(engine, x, tag)
        return self._routes

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts."""
        return self._end(self._model.apply(engine, x, experts, gates))

    def _end(self, answer: Handle) -> Handle:
        self.lines[self._row] = self.tape.end(answer, self._routes)
        return answer


def run_recorded(
    model: Model, engine: Engine, inputs: Inputs, before: Recorded | None = None
) -> tuple[Single, Recorded]:
    """Meter a model on each row of its inputs alone, and record its requests.

    Parameters
    ----------
    model, engine, inputs
        As for :func:`sparsebench.evaluate.passes.metering.run_single`.
    before
        The record for other inputs, to be continued; None to begin.

    Raises
    ------
    CellError
        As :func:`sparsebench.evaluate.passes.metering.run_single`.
    """
    recorded = before or Recorded(model, engine)
    if before:
        recorded.go_on(model)
    engine.observers.append(recorded.tape)
    try:
        return run_single(recorded, engine, inputs, announce=recorded.announce), recorded
    finally:
        engine.observers.remove(recorded.tape)


def make_trace(
    cell: Cell,
    recorded: Recorded,
    single: Single,
    ids: np.ndarray[Any, Any],
    parameters: Mapping[str, np.ndarray[Any, Any]],
    model_hash: str,
) -> Trace | None:
    """Make the trace of a cell.

    Parameters
    ----------
    cell
        The cell that was run.
    recorded, single
        Its one-by-one pass.
    ids
        The ``id`` of every input of that pass, int64 ``(n,)``.
    parameters, model_hash
        The model, and its hash (:func:`sparsebench.meter.model_file.hash_of_model`).

    Returns
    -------
    Trace or None
        None if there was more than a trace may hold.
    """
    if recorded.tape.full:
        return None
    lines = [recorded.lines[row] for row in range(len(ids))]
    numbers = {line: number for number, line in enumerate(dict.fromkeys(lines))}
    streams = tuple(Stream.parse(line) for line in numbers)
    used = {name for stream in streams for name, *_ in stream.constants()}
    return Trace(
        cell_key=cell.key,
        task=cell.task,
        instance=cell.instance,
        model_hash=model_hash,
        cost_model=COST_MODEL,
        model=parameters,
        constants={name: array for name, array in recorded.tape.constants.items() if name in used},
        streams=streams,
        inputs=TracedInputs(
            ids.tolist(),
            [numbers[line] for line in lines],
            single.predictions.tolist(),
            single.loaded_parameters.tolist(),
            single.loaded_bytes.tolist(),
        ),
    )


class Replayed:
    """A trace as a model: it makes the submission's requests for the announced input."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._row = 0
        self._player: Player | None = None

    def announce(self, row: int) -> None:
        """Store the number of the next row."""
        self._row = row

    @property
    def routed(self) -> bool:
        """Whether the next row is run in two parts."""
        return self._stream.router is not None

    @property
    def place(self) -> str:
        """The name of the input, for people."""
        return f"input {self._trace.inputs.id[self._row]}"

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Make the requests for the prediction."""
        self._begin(engine, x, tag)
        return self._answer()

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Make the requests for experts and gates."""
        player = self._begin(engine, x, tag)
        player.play("router")
        experts, gates = self._stream.routes or (None, None)
        return player.handle(experts), None if gates is None else player.handle(gates)

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:  # noqa: ARG002 - as every model
        """Make the requests for the prediction, given the routes."""
        return self._answer()

    @property
    def _stream(self) -> Stream:
        return self._trace.streams[self._trace.inputs.stream[self._row]]

    def _begin(self, engine: Engine, x: Description, tag: Description | None) -> Player:
        constants, given = self._trace.constants, None if tag is None else tag.handle
        self._player = Player(engine, self._stream, constants, x.handle, self.place, given)
        return self._player

    def _answer(self) -> Handle:
        assert self._player is not None
        self._player.play("experts")
        return self._player.handle(self._stream.answer)


def replay(trace: Trace, inputs: Inputs, *, memory: int = _MEMORY) -> Single:
    """Replay a trace's requests, without the submission's code.

    Parameters
    ----------
    trace
        The trace.
    inputs
        Its inputs, in the order in which it lists them.
    memory
        Bytes of arrays that may be held at once.

    Returns
    -------
    Single
        The results of the one-by-one pass, counted anew.

    Raises
    ------
    IntegrityError
        If the requests cannot be made for these inputs, or give another bit or shape than recorded.
    """
    if len(inputs) != len(trace.inputs.id):
        message = f"trace of {trace.cell_key[:12]}: expected {len(trace.inputs.id)} inputs, got {len(inputs)}"
        raise IntegrityError(message, help="give the inputs that the trace lists")
    engine, model = Engine(memory_limit=memory), Replayed(trace)
    engine.add_parameters(trace.model)
    try:
        with native.limited(1):
            return run_single(model, engine, inputs, announce=model.announce)
    except CellError as error:
        raise IntegrityError(f"{model.place}: {error.what}", help=error.help) from None
