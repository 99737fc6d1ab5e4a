"""The submission's process. It gets its tasks over a pipe, and never holds a scored input.

It starts in :mod:`sparsebench.evaluate.child.life`, and imports only NumPy and our own client.
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from sparsebench.errors import ContractError, RefusedError, SparsebenchError
from sparsebench.evaluate.child import gpu, mends
from sparsebench.meter.client.namespace import MeteredNamespace
from sparsebench.meter.client.transport import OverPipe, place_of
from sparsebench.meter.model import Model
from sparsebench.meter.structure import decode, encode
from sparsebench.meter.wire import Pipe, unpack_description
from sparsebench.models import fitted, opening
from sparsebench.models.contract import check_domains
from sparsebench.ops import backends
from sparsebench.ops.core import own
from sparsebench.tasks.given import Split, TaskInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.meter.client.array import MeteredArray
    from sparsebench.meter.values import Description
    from sparsebench.models.contract import Submission

__all__ = ["Worker", "own_line"]

_GIVEN = ("x", "tag")  # the inputs' arrays that a model may get, in the order of its arguments
_CHOSEN = ("experts", "gates")  # the arguments of experts after x


class Worker:
    """The worker that executes the harness's requests, one at a time."""

    def __init__(self, pipe: Pipe, sandbox: str = "none") -> None:
        self._pipe = pipe
        self._around = mends.Around(Path(), sandbox=sandbox)  # the facts that help to explain an error
        self._meter = OverPipe(pipe)
        self._namespace = MeteredNamespace(self._meter)
        self._submission: Submission | None = None
        self._fitted: fitted.Fitted | None = None
        self._plain = Model({})
        self._on_gpu = False

    def serve(self) -> None:
        """Answer requests until the harness closes the pipe."""
        turn = ""
        while True:
            try:
                header, payload = self._pipe.receive()
            except EOFError:
                return
            turn = header.get("turn", turn)  # none if the meter reports that the last part failed
            self._answer(header, payload, turn)

    def _answer(self, header: dict[str, Any], payload: bytes, turn: str) -> None:
        try:
            if "raise" in header:
                self._meter.fail(header)
            done, data = getattr(self, f"do_{header['do']}")(header, payload)
        except EOFError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a submission raises is told, not swallowed
            first = self._first(error)
            around = self._around._replace(doing=header.get("do", ""), submission=self._submission)
            self._pipe.send({"error": _describe(first, around), "turn": turn})
        else:
            waiting, arrays = self._meter.take()
            self._pipe.send({**waiting, "done": done, "turn": turn}, data or arrays)

    def _first(self, error: BaseException) -> BaseException:
        """Return the error that came first: requests that still wait were made before an error was raised."""
        try:
            self._meter.settle()
        except EOFError:
            raise
        except Exception as earlier:  # noqa: BLE001 - whatever it is, it is told
            error = earlier
        self._meter.forget()
        return error

    def do_load(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Import and construct the submission."""
        path, settings, variant = Path(header["path"]), header["settings"], header.get("variant", "")
        self._around = self._around._replace(path=path, variant=variant, settings=settings)
        task = TaskInfo(**{**header["task"], "input_shape": tuple(header["task"]["input_shape"])})
        self._submission = opening.construct(path, header["entry"], task, settings, variant)
        _refuse_other_domains(self._submission, declared=header["uses_tags"])
        return {"routed": opening.is_routed(self._submission), "own": bool(own.DEFINED)}, b""

    def do_fit(self, header: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Fit, and return the parameters."""
        arrays = safetensors.numpy.load(payload)
        model = fitted.fit(self._loaded, _split(arrays, "train"), _split(arrays, "valid"), header["entropy"])
        told = None if model.structure is None else encode(model.structure)
        return told, safetensors.numpy.save(dict(model))

    def do_hold(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Store the handles of the parameters, and the structure."""
        described = {name: unpack_description(told) for name, told in header["params"].items()}
        self._fitted = fitted.Fitted(self._loaded, self._namespace, described, _read(header))
        self._meter.foresight.hold(described.values())
        return None, b""

    def do_predict(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Predict on handles."""
        return _told(self._held.predict(*self._begin(header))), b""

    def do_route(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Route on handles."""
        experts, gates = self._held.route(*self._begin(header))
        return {"experts": _told(experts), "gates": None if gates is None else _told(gates)}, b""

    def do_apply(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Run the experts on handles."""
        x = unpack_description(header["x"])
        experts, gates = (
            None if header[name] is None else unpack_description(header[name]) for name in _CHOSEN
        )
        self._meter.foresight.go_on("apply", (x, experts, gates), header["next"])
        return _told(self._held.apply(x, experts, gates)), b""

    def do_arm(self, header: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Store real parameters for timing, on the GPU if that is timed."""
        arrays = safetensors.numpy.load(payload)
        self._on_gpu = header["gpu"]
        self._plain = Model(gpu.to_gpu(arrays) if self._on_gpu else arrays, _read(header))
        return None, b""

    def do_run(self, _: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Predict on real inputs, which are fresh and never scored; return the bytes of the answer.

        The reply also has the backends of primitives that ran, and the seconds on a GPU by its own clock.
        """
        loaded = safetensors.numpy.load(payload)
        given = {name: loaded[name] for name in _GIVEN if name in loaded}
        inside = None
        with backends.use("auto"), backends.recorded() as ran:
            if self._on_gpu:
                answer, inside = gpu.predict_on_gpu(self._loaded.predict, self._real(), given)
            else:
                answer = np.asarray(self._loaded.predict(self._real(), *given.values()))
        told = {"backends": sorted({backend for _, backend in ran}), "seconds": inside}
        return told, np.ascontiguousarray(answer, dtype=np.float64).tobytes()

    def do_try(self, _: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Try the submission's own primitives on their arguments for real inputs."""
        from sparsebench.evaluate.child.own_kernels import try_own  # noqa: PLC0415 - only `sparsebench check` asks

        given = safetensors.numpy.load(payload)
        inputs = [given[name] for name in _GIVEN if name in given]
        return [list(found) for found in try_own(self._loaded.predict, self._real(), inputs)], b""

    @property
    def _loaded(self) -> Submission:
        assert self._submission is not None
        return self._submission

    @property
    def _held(self) -> fitted.Fitted:
        assert self._fitted is not None
        return self._fitted

    def _begin(self, header: dict[str, Any]) -> list[Description]:
        """Prepare for a request with an input; return the descriptions of its arrays."""
        given = [unpack_description(header[name]) for name in _GIVEN if name in header]
        self._meter.foresight.begin(header["do"], given, header["next"])
        return given

    def _real(self) -> Model:
        """Return the real parameters in a new dict for predict."""
        return Model(self._plain, self._plain.structure)


def _told(answer: MeteredArray) -> int:
    """Return the handle of an answer. The harness pins it before it learns that we have dropped it."""
    return answer.handle.number


def _read(header: dict[str, Any]) -> Any:
    """Read the structure that comes with the parameters: this process has its own copy."""
    text = header.get("structure")
    return None if text is None else decode(text)


def _refuse_other_domains(submission: Submission, *, declared: bool) -> None:
    try:
        check_domains(submission, declared=declared)
    except ContractError as error:  # none of its code has run yet: the cell is refused, it has not failed
        raise RefusedError(error.what, help=error.help) from None


def _split(arrays: dict[str, np.ndarray[Any, Any]], name: str) -> Split:
    found = {field: arrays.get(f"{name}.{field}") for field in ("id", "x", "y", "tag")}
    return Split(**{field: None if a is None else np.array(a) for field, a in found.items()})  # type: ignore[arg-type]


def own_line(error: BaseException, folder: Path, include: Sequence[Path] = ()) -> str:
    """Return the last line of a submission's code in an error's traceback; empty if there is none.

    Parameters
    ----------
    error
        The error.
    folder
        The folder of the code: files are named relative to it.
    include
        Its files in other folders.
    """
    where = ""
    asked_at = place_of(error)
    asked = [] if asked_at is None else [asked_at]
    for frame in (*traceback.extract_tb(error.__traceback__), *asked):
        if Path(frame.filename).is_relative_to(folder) or Path(frame.filename) in include:
            where = f"{os.path.relpath(frame.filename, folder)}:{frame.lineno} in {frame.name}"
    return where


def _describe(error: BaseException, around: mends.Around) -> dict[str, Any]:
    """Describe an error in JSON: its type, its first line, and the submission's line that it comes from."""
    told = {"type": _kind(error), "text": _first_line(error), "where": "", "source": "", "help": ""}
    if around.path != Path():
        told |= {"where": own_line(error, around.path), "source": mends.source_of(error, around.path)}
    return told | {"help": error.help if isinstance(error, SparsebenchError) else mends.mend(error, around)}


def _kind(error: BaseException) -> str:
    """Return the class name of an error: for a subclass of one of our errors, ours."""
    names = (kind.__name__ for kind in type(error).__mro__ if kind.__module__ == SparsebenchError.__module__)
    return next(names, type(error).__name__)


def _first_line(error: BaseException) -> str:
    try:
        text = error.what if isinstance(error, SparsebenchError) else str(error)
    except Exception as inner:  # noqa: BLE001 - an exception of a submission may not even print
        return f"it cannot be printed: {type(inner).__name__}"
    return text.strip().partition("\n")[0][:1000]
