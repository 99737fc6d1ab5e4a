"""The harness's end of a submission's process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import safetensors.numpy

from sparsebench.errors import CellError, FailedError, MemoryLimitError, RefusedError
from sparsebench.errors import UncountedOperationError as Uncounted
from sparsebench.meter import Description, Engine, Handle, Pipe, answer
from sparsebench.meter.wire import pack_description

if TYPE_CHECKING:
    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.tasks import Instance, Split, TaskInfo

__all__ = ["Session"]

_TEXT_LIMIT = 300
_SLACK = 16 << 20  # bytes of a message beside its arrays


class Session:
    """A process that runs one variant of a submission. A context manager: leaving it kills the process.

    Parameters
    ----------
    cell
        What to load.
    task
        What the submission is told about its task.
    limits
        Time for each stage, and memory.

    Attributes
    ----------
    routed
        Whether router and experts are called one after the other.
    sandbox
        What holds the process: ``files`` or ``none``.

    Raises
    ------
    CellError
        If the submission cannot be loaded.
    """

    def __init__(self, cell: Cell, task: TaskInfo, limits: Limits) -> None:
        self._limits = limits
        self._scratch = tempfile.TemporaryDirectory(prefix="sparsebench-", ignore_cleanup_errors=True)
        self._process, self._pipe = _start(self._scratch.name, limits.memory)
        self.start_clock()
        try:
            loaded = self.ask({"do": "load", **_load_request(cell, task, limits)})[0]
        except BaseException:
            self.close()
            raise
        self.routed = loaded["routed"] is True
        self.sandbox = "files" if loaded["sandbox"] == "files" else "none"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the process and all that it started in its process group; remove its scratch folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._pipe.close()
        self._scratch.cleanup()

    def fit(self, instance: Instance, entropy: list[int]) -> dict[str, np.ndarray[Any, Any]]:
        """Fit on an instance's train and valid splits.

        Raises
        ------
        CellError
            If it fails, takes too long, or returns something that is not a model.
        """
        arrays = {**_arrays("train", instance.train), **_arrays("valid", instance.valid)}
        payload = self.ask({"do": "fit", "entropy": entropy}, safetensors.numpy.save(arrays))[1]
        try:
            return safetensors.numpy.load(payload)
        except Exception as error:  # noqa: BLE001 - whatever an untrusted process sends, the parser may say
            message = f"fit: what came back are no arrays: {type(error).__name__}"
            raise FailedError(message, help="return a dict of str to numpy.ndarray") from None

    def hold(self, parameters: dict[str, Description]) -> None:
        """Hand over the handles of the parameters."""
        self.ask({"do": "hold", "params": {name: pack_description(p) for name, p in parameters.items()}})

    def predict(self, engine: Engine, x: Description) -> Handle:
        """Predict on handles."""
        return self._handle(engine, self.ask({"do": "predict", "x": pack_description(x)}, engine=engine)[0])

    def route(self, engine: Engine, x: Description) -> tuple[Handle, Handle | None]:
        """Route on handles: experts and gates."""
        told = self.ask({"do": "route", "x": pack_description(x)}, engine=engine)[0]
        gates = None if told["gates"] is None else self._handle(engine, told["gates"])
        return self._handle(engine, told["experts"]), gates

    def apply(self, engine: Engine, x: Description, experts: Handle, gates: Handle | None) -> Handle:
        """Run the experts on handles."""
        request = {
            "do": "apply",
            "x": pack_description(x),
            "experts": pack_description(engine.describe(experts)),
            "gates": None if gates is None else pack_description(engine.describe(gates)),
        }
        return self._handle(engine, self.ask(request, engine=engine)[0])

    def arm(self, parameters: dict[str, np.ndarray[Any, Any]], x: np.ndarray[Any, Any]) -> None:
        """Hand over real arrays to be timed on."""
        arrays = {"x": np.ascontiguousarray(x), **{f"p.{name}": p for name, p in parameters.items()}}
        self.ask({"do": "arm"}, safetensors.numpy.save(arrays))

    def run(self) -> tuple[np.ndarray[Any, Any], float]:
        """Predict on those arrays: the answer, and the wall-clock seconds until its last byte."""
        begin = time.perf_counter()
        payload = self.ask({"do": "run"})[1]
        seconds = time.perf_counter() - begin
        return np.frombuffer(payload[: len(payload) // 8 * 8], dtype=np.float64), seconds

    def ask(
        self, request: dict[str, Any], payload: bytes = b"", *, engine: Engine | None = None
    ) -> tuple[Any, bytes]:
        """Have one thing done, executing what it asks the meter for meanwhile.

        Raises
        ------
        CellError
            If it fails. The process may be asked on after an error that it told itself.
        """
        try:
            self._pipe.send(request, payload)
            return self._serve(engine)
        except (EOFError, BrokenPipeError):
            raise self._died() from None

    def start_clock(self) -> None:
        """Give the next stage its whole time."""
        self._pipe.set_deadline(time.monotonic() + self._limits.seconds)

    def _serve(self, engine: Engine | None) -> tuple[Any, bytes]:
        fatal: CellError | None = None
        while True:
            header, payload = self._pipe.receive()
            if "done" in header:
                if fatal:
                    raise fatal
                return header["done"], payload
            if "error" in header:
                raise _told_error(header["error"], fatal)
            if engine is None or fatal:
                raise fatal or RefusedError(
                    "the meter was asked outside of predict", help="compute in predict"
                )
            fatal = self._meter(engine, header, payload)

    def _meter(self, engine: Engine, header: dict[str, Any], payload: bytes) -> CellError | None:
        """Answer one request. An error that ends the cell is told as well, so that we learn where it was."""
        try:
            reply = answer(engine, header, payload)
        except CellError as error:
            self._pipe.send({"raise": "ValueError", "text": error.what})
            return error
        self._pipe.send(reply)
        return None

    @staticmethod
    def _handle(engine: Engine, number: Any) -> Handle:
        if type(number) is not int:
            raise RefusedError("the process sent something that is not a message")
        handle = Handle(number)
        engine.pin(handle)
        return handle

    def _died(self) -> CellError:
        code = self._process.wait()
        if code >= 0:
            return FailedError(
                f"the submission's process ended by itself with code {code}", help="do not call exit"
            )
        name = signal.Signals(-code).name
        return FailedError(
            f"the submission's process was killed by {name}",
            help="a crash in a library, or the machine is out of memory",
        )


def _start(scratch: str, memory: int) -> tuple[subprocess.Popen[bytes], Pipe]:
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-I", "-B", "-m", "sparsebench.evaluate.child", str(theirs_in), str(theirs_out)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(theirs_in, theirs_out),
            cwd=scratch,
            env=_environment(scratch),
            start_new_session=True,
        )
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    return process, Pipe(ours_in, ours_out, limit=memory + _SLACK)


def _environment(scratch: str) -> dict[str, str]:
    """Make a clean environment: no secrets, and one thread, so that results do not depend on load."""
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
    )
    path = os.environ.get("PATH", os.defpath)
    kept = {name: os.environ[name] for name in ("COVERAGE_PROCESS_START",) if name in os.environ}
    return {"PATH": path, "HOME": scratch, "TMPDIR": scratch, "LANG": "C.UTF-8", **threads, **kept}


def _load_request(cell: Cell, task: TaskInfo, limits: Limits) -> dict[str, Any]:
    about = {name: getattr(task, name) for name in ("task", "metric", "target_dtype")}
    return {
        "path": str(cell.path),
        "entry": cell.entry,
        "task": {**about, "input_shape": list(task.input_shape)},
        "settings": cell.settings,
        "memory": limits.memory,
    }


def _arrays(name: str, split: Split) -> dict[str, np.ndarray[Any, Any]]:
    fields = {"id": split.id, "x": split.x, "y": split.y, "tag": split.tag}
    return {f"{name}.{field}": np.ascontiguousarray(a) for field, a in fields.items() if a is not None}


_KINDS: dict[str, type[CellError]] = {"UncountedOperationError": Uncounted, "MemoryError": MemoryLimitError}


def _told_error(told: Any, fatal: CellError | None) -> CellError:
    """Make an error of what the process tells, and of where it says that it was."""
    text, kind, where, mend = ("", "", "", "")
    if isinstance(told, dict):
        kind, text, where, mend = (_plain(told.get(key)) for key in ("type", "text", "where", "help"))
    place = f" ({where})" if where else ""
    if fatal:
        return type(fatal)(f"{fatal.what}{place}", help=fatal.help)
    known = _KINDS.get(kind)
    if known is MemoryLimitError:
        return MemoryLimitError(f"out of memory{place}", help="take less, or raise --memory-limit")
    if known:
        return known(f"{text}{place}", help=mend)
    return FailedError(f"{text}{place}" if kind == "ContractError" else f"{kind}: {text}{place}", help=mend)


def _plain(value: Any) -> str:
    """Text of a stranger: one printable line, not too long."""
    line = "".join(c if c.isprintable() else " " for c in str(value))
    return line if len(line) <= _TEXT_LIMIT else f"{line[: _TEXT_LIMIT - 3]}..."
