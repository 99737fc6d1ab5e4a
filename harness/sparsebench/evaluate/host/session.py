"""The harness's end of a submission's process.

Nothing that comes from there is believed to be of any type, to be the answer to what was asked, or to end.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from typing import TYPE_CHECKING, Any, Self

import safetensors.numpy

from sparsebench.errors import CellError, FailedError, MemoryLimitError, RefusedError, TimeLimitError
from sparsebench.evaluate.host import payloads, reports
from sparsebench.evaluate.host.process import start
from sparsebench.evaluate.host.scratch import Scratch
from sparsebench.meter import Description, Engine, Handle, answer
from sparsebench.meter.wire import pack_description
from sparsebench.tasks.cache import cache_root

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from sparsebench.evaluate.host.payloads import Finding, Timed
    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.tasks import Instance, TaskInfo

__all__ = ["Session"]

_GRACE = 1.0  # seconds for a process that closed its pipe to be gone by itself


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
        Whether it is to use a GPU. Its memory is not limited then.

    Attributes
    ----------
    routed
        Whether router and experts are called one after the other.
    sandbox
        What holds the process: ``files`` or ``none``.
    own
        Whether it has primitives of its own, as it tells.

    Raises
    ------
    CellError
        If the submission cannot be loaded.
    """

    def __init__(
        self,
        cell: Cell,
        task: TaskInfo,
        limits: Limits,
        *,
        deadline: float | None = None,
        gpu: bool = False,
    ) -> None:
        self._limits = limits
        self._scratch = Scratch(cell.path, cell.submission_hash)
        self._closed = False
        self._gpu = gpu
        try:
            self._process, self._pipe = start(self._scratch.work, limits.memory, gpu=gpu)
        except BaseException:
            self._scratch.remove()
            raise
        self._deadline = time.monotonic() + limits.seconds if deadline is None else deadline
        self._pipe.set_deadline(self._deadline)
        try:
            request = _load_request(cell, self._scratch.code, task, limits, gpu=gpu)
            told = self.ask({"do": "load", **request})[0]
            self.routed, self.sandbox, self.own = _loaded(told)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def close(self) -> None:
        """Kill the process and its process group, remove its folders. May be called again."""
        if self._closed:
            return
        self._closed = True
        self._kill()
        self._process.wait()
        self._pipe.close()
        self._scratch.remove()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says so of a group of zombies
            os.killpg(self._process.pid, signal.SIGKILL)

    def fit(self, instance: Instance, entropy: list[int]) -> dict[str, np.ndarray[Any, Any]]:
        """Fit on an instance's train and valid splits.

        Raises
        ------
        CellError
            If it fails, takes too long, or returns something that is not a model.
        """
        arrays = {**payloads.split("train", instance.train), **payloads.split("valid", instance.valid)}
        return payloads.model(self.ask({"do": "fit", "entropy": entropy}, safetensors.numpy.save(arrays))[1])

    def hold(self, parameters: dict[str, Description]) -> None:
        """Hand over the handles of the parameters."""
        self.ask({"do": "hold", "params": {name: pack_description(p) for name, p in parameters.items()}})

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict on handles."""
        return self._handle(engine, self.ask({"do": "predict", **_given(x, tag)}, engine=engine)[0])

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Route on handles: experts and gates."""
        told = self.ask({"do": "route", **_given(x, tag)}, engine=engine)[0]
        if not isinstance(told, dict):
            raise reports.not_a_message()
        gates = None if told.get("gates") is None else self._handle(engine, told["gates"])
        return self._handle(engine, told.get("experts")), gates

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts on handles."""
        request = {
            "do": "apply",
            "x": pack_description(x),
            "experts": pack_description(engine.describe(experts)),
            "gates": None if gates is None else pack_description(engine.describe(gates)),
        }
        return self._handle(engine, self.ask(request, engine=engine)[0])

    def arm(self, parameters: dict[str, np.ndarray[Any, Any]]) -> None:
        """Hand over real parameters to be timed with, where the process is to use a GPU, on that."""
        self._arm(parameters, gpu=self._gpu)

    def _arm(self, parameters: dict[str, np.ndarray[Any, Any]], *, gpu: bool) -> None:
        self.ask({"do": "arm", "gpu": gpu}, safetensors.numpy.save(parameters))

    def run(self, inputs: Inputs) -> Timed:
        """Predict on real inputs, and take the time from handing them over to the answer's last byte."""
        sent = safetensors.numpy.save(payloads.inputs(inputs))
        begin = time.perf_counter()
        told, payload = self.ask({"do": "run"}, sent)
        seconds = time.perf_counter() - begin
        return payloads.timed(told, payload, seconds)

    def try_own(self, parameters: dict[str, np.ndarray[Any, Any]], inputs: Inputs) -> list[Finding]:
        """Have it try its own primitives on what they are called with for real inputs, for its author."""
        self._arm(parameters, gpu=False)
        told = self.ask({"do": "try"}, safetensors.numpy.save(payloads.inputs(inputs)))[0]
        return payloads.findings(told)

    def ask(
        self, request: dict[str, Any], payload: bytes = b"", *, engine: Engine | None = None
    ) -> tuple[Any, bytes]:
        """Have one thing done, executing what it asks the meter for meanwhile.

        Raises
        ------
        CellError
            If it fails; its texts are one printable line each. The process may be asked on after an error
            that it told itself.
        """
        turn = secrets.token_hex(8)  # an answer that was written before the question does not know it
        try:
            self._pipe.send({**request, "turn": turn}, payload)
            return self._serve(engine, turn)
        except (EOFError, BrokenPipeError):
            raise self._died() from None
        except CellError as error:
            raise reports.clean(error) from None

    def _serve(self, engine: Engine | None, turn: str) -> tuple[Any, bytes]:
        fatal: CellError | None = None
        while True:
            header, payload = self._receive()
            if "done" in header or "error" in header:
                if header.get("turn") != turn:
                    raise RefusedError(
                        "the process answered before it was asked", help="leave the pipe to sparsebench"
                    )
                if "error" in header or fatal:
                    raise reports.of_error(header.get("error"), fatal)
                return header["done"], payload
            if engine is None or fatal:
                raise fatal or RefusedError(
                    "the meter was asked outside of predict", help="compute in predict"
                )
            fatal = self._meter(engine, header, payload)

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        """Take a frame, unless the time is up: somebody who never stops sending never keeps us waiting."""
        if time.monotonic() > self._deadline:
            raise TimeLimitError("the time limit has passed", help="make it faster, or raise --time-limit")
        try:
            return self._pipe.receive()
        except RecursionError:
            raise reports.not_a_message() from None

    def _meter(self, engine: Engine, header: dict[str, Any], payload: bytes) -> CellError | None:
        """Answer one request. An error that ends the cell is told as well, so that we learn where it was."""
        try:
            reply = answer(engine, header, payload)
        except CellError as error:
            self._pipe.send({"raise": "ValueError", "text": error.what})
            return error
        except MemoryError:
            raise MemoryLimitError(
                "the meter is out of memory", help="work on fewer elements at a time"
            ) from None
        except Exception as error:  # noqa: BLE001 - made by a stranger's request; its text may hold values
            kind = type(error).__name__
            raise RefusedError(
                f"the meter could not do what was asked: {kind}",
                help="call operations as the array API has them",
            ) from None
        self._pipe.send(reply)
        return None

    @staticmethod
    def _handle(engine: Engine, number: Any) -> Handle:
        if type(number) is not int:
            raise reports.not_a_message()
        handle = Handle(number)
        engine.pin(handle)
        return handle

    def _died(self) -> CellError:
        """Say how the process ended. One that only closed its pipe is ended now."""
        gone = time.monotonic() + _GRACE
        while (code := self._process.poll()) is None and time.monotonic() < gone:
            time.sleep(0.01)
        if code is None:
            self._kill()
            return FailedError("the submission's process closed its pipe", help="leave open files alone")
        return reports.of_death(code)


def _given(x: Description, tag: Description | None) -> dict[str, Any]:
    """Name what is given to a model: no key of its own where there is no tag."""
    return {"x": pack_description(x)} | ({} if tag is None else {"tag": pack_description(tag)})


def _loaded(told: Any) -> tuple[bool, str, bool]:
    if not isinstance(told, dict):
        raise reports.not_a_message()
    sandbox = "files" if told.get("sandbox") == "files" else "none"
    return told.get("routed") is True, sandbox, told.get("own") is True


def _load_request(cell: Cell, code: Path, task: TaskInfo, limits: Limits, *, gpu: bool) -> dict[str, Any]:
    about = {name: getattr(task, name) for name in ("task", "metric", "target_dtype", "classes", "domains")}
    return {
        "path": str(code),
        "hidden": [str(cell.task_folder), str(cache_root())],
        "entry": cell.entry,
        "task": {**about, "input_shape": list(task.input_shape)},
        "settings": cell.settings,
        "uses_tags": cell.uses_tags,
        "memory": None if gpu else limits.memory,
        "gpu": gpu,
    }
