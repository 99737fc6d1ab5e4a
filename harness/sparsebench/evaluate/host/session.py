"""The harness's end of a submission's process.

Nothing from there is trusted to have a certain type, to answer the request, or to end.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import TYPE_CHECKING, Any, Self

import safetensors.numpy

from sparsebench.errors import (
    CellError,
    DisturbedError,
    FailedError,
    MemoryLimitError,
    RefusedError,
    TimeLimitError,
)
from sparsebench.evaluate.child import walls
from sparsebench.evaluate.clock import Clock
from sparsebench.evaluate.host import errors_told, payloads
from sparsebench.evaluate.host.finite import check_numbers
from sparsebench.evaluate.host.parents import measured, start
from sparsebench.evaluate.host.scratch import CodeCopy, Scratch
from sparsebench.evaluate.host.warm import SLACK
from sparsebench.meter import Description, Engine, Handle, answer
from sparsebench.meter.model_file import structure_of
from sparsebench.meter.structure import encode
from sparsebench.meter.wire import pack_description
from sparsebench.tasks.cache import cache_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from sparsebench.evaluate.host.payloads import Finding, Timed
    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.meter.model import Model
    from sparsebench.tasks import Instance, TaskInfo

__all__ = ["Session", "text_of"]

_GRACE = 1.0  # seconds for a process that closed its pipe to end by itself


class Session:
    """A process that runs one variant of a submission. A context manager: leaving it kills the process.

    Parameters
    ----------
    cell
        What to load.
    task
        What the submission is told about its task.
    limits
        Time for the stage, and memory.
    deadline
        When the stage ends, in :func:`time.monotonic`, where several processes share its time.
    gpu
        Whether it uses a GPU. Then its memory is not limited.
    clock
        Records the processor time of the process.
    code
        A copy of the submission's code that other processes of the cell use as well: only if walls prevent
        them from writing to it. Without it the process has its own copy.

    Attributes
    ----------
    routed
        Whether router and experts are called one after the other.
    sandbox
        The sandbox level of the process: ``isolated``, ``restricted`` or ``none``.
    own
        Whether it reports primitives of its own.

    Raises
    ------
    CellError
        If the submission cannot be loaded.
    DisturbedError
        If the walls that were measured cannot be put up.
    """

    def __init__(
        self,
        cell: Cell,
        task: TaskInfo,
        limits: Limits,
        *,
        deadline: float | None = None,
        gpu: bool = False,
        code: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._limits = limits
        self._allow_nan = cell.allow_nan
        self._clock = clock or Clock()
        self._noted = 0.0  # processor seconds of the process that the clock has recorded
        self._gpu = gpu
        self._closed = False
        self._disturbed: DisturbedError | None = None
        self._knows = False  # whether bits of inputs have gone to the process
        self.sandbox = measured().level
        self._folders = contextlib.ExitStack()
        with contextlib.ExitStack() as undone:
            undone.push(self._folders)
            self.code = self._code(cell, code)
            plan = self._plan(cell)
            self._process, self._pipe = start(plan, most=limits.memory + SLACK)
            undone.callback(self._end)
            self._deadline = time.monotonic() + limits.seconds if deadline is None else deadline
            self._pipe.set_deadline(self._deadline)
            self._await_walls()
            told = self.ask({"do": "load", **_load_request(cell, self.code, task, gpu=gpu)})[0]
            self.routed, self.own = _loaded(told)
            undone.pop_all()

    def _code(self, cell: Cell, shared: Path | None) -> Path:
        if shared is not None and self.sandbox != "none":
            return shared
        copy = CodeCopy(cell.path, cell.submission_hash, cell.include)
        return self._folders.enter_context(copy).code

    def _plan(self, cell: Cell) -> walls.Plan:
        return walls.Plan(
            level=self.sandbox,
            code=self.code,
            work=self._folders.enter_context(Scratch()).work,
            hidden=(cell.task_folder, cache_root()),
            memory=None if self._gpu else self._limits.memory,
            gpu=self._gpu,
        )

    def _await_walls(self) -> None:
        """Wait for the report that the walls are up, before any code of a stranger runs."""
        try:
            told, _ = self._pipe.receive()
        except EOFError:
            told = {"text": f"the process ended with code {self._process.wait().code}"}
        if told.get("walls") != self.sandbox:  # they were tested when the level was measured
            message = f"the walls of level {self.sandbox} could not be put up: {told.get('text')}"
            raise DisturbedError(message, help="sparsebench doctor tells what holds; --resume runs it again")
        self._noted = float(told.get("seconds", 0.0))  # ours: no code of a stranger has run yet
        self._clock.child(self._noted)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def close(self) -> None:
        """Kill the process and all that it has started, and remove its folders. May be called again."""
        self._end()
        self._folders.close()

    def _end(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._process.kill()
        self._clock.child(max(0.0, self._process.wait().seconds - self._noted))
        self._pipe.close()

    def fit(self, instance: Instance, entropy: list[int]) -> Model:
        """Fit on an instance's train and valid splits.

        Raises
        ------
        CellError
            If it fails, takes too long, or returns something that is not a model.
        """
        arrays = {**payloads.split("train", instance.train), **payloads.split("valid", instance.valid)}
        told, payload = self.ask({"do": "fit", "entropy": entropy}, safetensors.numpy.save(arrays))
        model = payloads.model(payload, told)
        check_numbers(model, allow_nan=self._allow_nan)
        return model

    def hold(self, parameters: dict[str, Description], structure: str | None = None) -> None:
        """Send the handles of the parameters, and the text of the structure, if there is one."""
        params = {name: pack_description(p) for name, p in parameters.items()}
        self.ask({"do": "hold", "params": params, "structure": structure})

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict on handles."""
        return self._handle(engine, self.ask({"do": "predict", **_given(engine, x, tag)}, engine=engine)[0])

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Route on handles: experts and gates."""
        told = self.ask({"do": "route", **_given(engine, x, tag)}, engine=engine)[0]
        if not isinstance(told, dict):
            raise errors_told.not_a_message()
        gates = None if told.get("gates") is None else self._handle(engine, told["gates"])
        return self._handle(engine, told.get("experts")), gates

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts on handles."""
        request = {
            "do": "apply",
            "next": engine.upcoming,
            "x": pack_description(x),
            "experts": pack_description(engine.describe(experts)),
            "gates": None if gates is None else pack_description(engine.describe(gates)),
        }
        return self._handle(engine, self.ask(request, engine=engine)[0])

    def arm(self, parameters: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Send real parameters for timing; if the process uses a GPU, it puts them there."""
        self._arm(parameters, gpu=self._gpu)

    def _arm(self, parameters: Mapping[str, np.ndarray[Any, Any]], *, gpu: bool) -> None:
        request = {"do": "arm", "gpu": gpu, "structure": text_of(parameters)}
        self.ask(request, safetensors.numpy.save(dict(parameters)))

    def run(self, inputs: Inputs) -> Timed:
        """Predict on real inputs, and time this from sending them to the answer's last byte."""
        sent = safetensors.numpy.save(payloads.inputs(inputs))
        begin = time.perf_counter()
        told, payload = self.ask({"do": "run"}, sent)
        seconds = time.perf_counter() - begin
        return payloads.timed(told, payload, seconds)

    def try_own(self, parameters: Mapping[str, np.ndarray[Any, Any]], inputs: Inputs) -> list[Finding]:
        """Let it try its own primitives on their arguments for real inputs, for its author."""
        self._arm(parameters, gpu=False)
        told = self.ask({"do": "try"}, safetensors.numpy.save(payloads.inputs(inputs)))[0]
        return payloads.findings(told)

    def ask(
        self, request: dict[str, Any], payload: bytes = b"", *, engine: Engine | None = None
    ) -> tuple[Any, bytes]:
        """Make one request, and execute its requests to the meter meanwhile.

        Raises
        ------
        CellError
            If it fails; its texts are one printable line each. After an error that the process reported
            itself, it accepts further requests.
        """
        turn = secrets.token_hex(8)  # an answer that was written before the question cannot have it
        try:
            self._pipe.send({**request, "turn": turn}, payload)
            return self._serve(engine, turn)
        except (EOFError, BrokenPipeError):
            raise self._died() from None
        except CellError as error:
            raise errors_told.clean(error) from None

    def _serve(self, engine: Engine | None, turn: str) -> tuple[Any, bytes]:
        fatal: CellError | None = None
        while True:
            header, payload = self._receive()
            if "batch" in header and "done" in header and engine is not None and not fatal:
                # The last requests, whose answers nobody waits for: only their failure is reported.
                fatal, failed = self._meter(engine, header, payload, last=True)
                if failed:
                    continue
            if "done" in header or "error" in header:
                if header.get("turn") != turn:
                    raise RefusedError(
                        "the process answered before it was asked", help="leave the pipe to sparsebench"
                    )
                if "error" in header or fatal:
                    raise errors_told.of_error(
                        header.get("error"), fatal, code=self.code if self._knows else None
                    )
                return header["done"], payload
            if engine is None or fatal:
                raise fatal or RefusedError(
                    "the meter was asked outside of predict", help="compute in predict"
                )
            fatal, _ = self._meter(engine, header, payload)

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        """Receive a frame, unless the time is over: the pipe has the deadline."""
        try:
            return self._pipe.receive()
        except RecursionError:
            raise errors_told.not_a_message() from None

    def _meter(
        self, engine: Engine, header: dict[str, Any], payload: bytes, *, last: bool = False
    ) -> tuple[CellError | None, bool]:
        """Answer requests. An error that ends the cell is sent as well, so that we learn its place.

        Return that error, and whether one of the requests failed. For the last ones, only a failure is sent.
        """
        fatal: CellError | None = None
        place = 0

        def before(number: int) -> None:
            nonlocal place
            place = number
            self._pipe.demand_time()

        try:
            reply = answer(engine, header, payload, before=before)
        except TimeLimitError:
            raise
        except CellError as error:
            fatal, reply = error, {"raise": "ValueError", "text": error.what, "at": place}
        except MemoryError:
            fatal = MemoryLimitError("the meter is out of memory", help="work on fewer elements at a time")
            reply = {"raise": "ValueError", "text": fatal.what, "at": place}
        except Exception as error:  # noqa: BLE001 - made by a stranger's request; its text may hold values
            kind = type(error).__name__
            raise RefusedError(
                f"the meter could not do what was asked: {kind}",
                help="call operations as the array API has them",
            ) from None
        self._knows = self._knows or engine.bits_revealed > 0
        failed = "raise" in reply
        if failed or not last:
            self._pipe.send(reply)
        return fatal, failed

    @staticmethod
    def _handle(engine: Engine, number: Any) -> Handle:
        if type(number) is not int:
            raise errors_told.not_a_message()
        handle = Handle(number)
        engine.pin(handle)
        return handle

    def _died(self) -> CellError:
        """Return the error for the process's end. A process that only closed its pipe is ended now."""
        gone = time.monotonic() + _GRACE
        while (end := self._process.poll()) is None and time.monotonic() < gone:
            time.sleep(0.001)
        if end is None:
            self._process.kill()
            return FailedError("the submission's process closed its pipe", help="leave open files alone")
        death = errors_told.of_death(end, silent=self._knows)
        self._disturbed = death if isinstance(death, DisturbedError) else None
        return death

    def demand_undisturbed(self) -> None:
        """Check that nobody has killed the process: an audit's verdict on its end must not be kept.

        Raises
        ------
        DisturbedError
            If it was killed.
        """
        if self._disturbed:
            raise self._disturbed


def text_of(parameters: Mapping[str, Any]) -> str | None:
    """Return the text of a model's structure for the pipe; None if there is none."""
    structure = structure_of(parameters)
    return None if structure is None else encode(structure)


def _given(engine: Engine, x: Description, tag: Description | None) -> dict[str, Any]:
    """Return a model's arguments by name, without a key for domains if it gets none."""
    given = {"x": pack_description(x)} | ({} if tag is None else {"tag": pack_description(tag)})
    return {"next": engine.upcoming, **given}


def _loaded(told: Any) -> tuple[bool, bool]:
    if not isinstance(told, dict):
        raise errors_told.not_a_message()
    return told.get("routed") is True, told.get("own") is True


def _load_request(cell: Cell, code: Path, task: TaskInfo, *, gpu: bool) -> dict[str, Any]:
    about = {name: getattr(task, name) for name in ("task", "metric", "target_dtype", "classes", "domains")}
    return {
        "path": str(code),
        "entry": cell.entry,
        "task": {**about, "input_shape": list(task.input_shape)},
        "variant": cell.variant,
        "settings": cell.settings,
        "uses_tags": cell.uses_tags,
        "gpu": gpu,
    }
