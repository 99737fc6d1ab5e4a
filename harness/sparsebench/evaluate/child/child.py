"""The submission's process. It is told what to do over a pipe, and never holds a scored input.

Its life begins in :mod:`sparsebench.evaluate.child.life`. Imports little: NumPy and our own client.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from sparsebench.errors import ContractError, RefusedError, SparsebenchError
from sparsebench.evaluate.child import gpu, mends
from sparsebench.evaluate.child.returned import no_parameter
from sparsebench.evaluate.child.settings import check_settings
from sparsebench.meter.client.array import MeteredArray
from sparsebench.meter.client.namespace import MeteredNamespace
from sparsebench.meter.client.transport import OverPipe, place_of
from sparsebench.meter.model import Model
from sparsebench.meter.structure import decode, encode
from sparsebench.meter.wire import Pipe, unpack_description
from sparsebench.models.contract import (
    Routed,
    Routes,
    Submission,
    check_domains,
    check_structure,
    part_of,
    routes_of,
)
from sparsebench.ops import backends
from sparsebench.ops.core import own
from sparsebench.tasks.given import Split, TaskInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from sparsebench.meter.values import Description

__all__ = [
    "Worker",
    "array_of",
    "construct",
    "is_routed",
    "load_entry",
    "made_by",
    "model_of",
    "own_line",
]

_GIVEN = ("x", "tag")  # what a model may be given of inputs, in the order of its arguments
_APPLIED = ("x", "experts", "gates")  # what experts are given


def load_entry(path: Path, entry: str) -> Any:
    """Import a submission's module from its folder; give what ``entry`` names.

    Raises
    ------
    ContractError
        If the module has no such name.
    """
    module_name, _, name = entry.partition(":")
    sys.path.insert(0, str(path))  # a submission may have modules of its own beside its entry
    found = getattr(_import(path / f"{module_name}.py", module_name), name, None)
    if not callable(found):
        message = f"entry: {module_name}.py has no class or function called {name!r}"
        raise ContractError(message, help="mend `entry` in submission.toml, or define it")
    return found


def _import(file: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def construct(
    path: Path, entry: str, task: TaskInfo, settings: dict[str, Any], variant: str = ""
) -> Submission:
    """Make the submission of one variant.

    Raises
    ------
    ContractError
        If the entry does not take the settings, or what it gives is no :class:`sparsebench.Submission`.
    """
    return made_by(load_entry(path, entry), path, task, settings, variant)


def made_by(
    entry: Callable[..., Any], path: Path, task: TaskInfo, settings: dict[str, Any], variant: str = ""
) -> Submission:
    """Make the submission of one variant by an entry that is loaded; as :func:`construct`."""
    check_settings(entry, path, variant, settings)
    made = entry(task, **settings)
    if not isinstance(made, Submission):
        message = f"entry: expected it to give a sparsebench.Submission, got {type(made).__name__}"
        raise ContractError(
            message, help="derive it from sparsebench.Submission, or return sparsebench.Routed(...)"
        )
    return made


def is_routed(submission: Submission) -> bool:
    """Whether the harness can call router and experts one after the other by itself."""
    return isinstance(submission, Routed) and type(submission).predict is Routed.predict


def model_of(fitted: Any, *, routed: bool = False) -> Model:
    """Check what ``fit`` returned: a flat dictionary of named arrays, or a model that has a structure too.

    Parameters
    ----------
    fitted
        That.
    routed
        Whether router and experts are called one after the other, each with its own part of the structure.

    Returns
    -------
    Model
        The arrays, contiguous, and a copy of the structure as every other process will get it.

    Raises
    ------
    ContractError
        If it is anything else.
    """
    mend = "return a dict of str to numpy.ndarray, or sb.Model(arrays, structure)"
    if not isinstance(fitted, dict):
        raise ContractError(f"fit: expected a dict of arrays, got {type(fitted).__name__}", help=mend)
    for name, array in fitted.items():
        if wrong := no_parameter(name, array):
            raise wrong
    return Model(
        {name: np.ascontiguousarray(array) for name, array in fitted.items()}, _copied(fitted, routed=routed)
    )


def _copied(fitted: dict[str, Any], *, routed: bool) -> Any:
    """Check a structure, and copy it: what a submission goes on to do with its own is not in the model."""
    structure = getattr(fitted, "structure", None)
    if routed:
        check_structure(structure)
    try:
        return None if structure is None else decode(encode(structure))
    except ContractError as error:
        raise ContractError(f"fit: {error.what}", help=error.help) from None


def array_of(answer: Any, where: str) -> MeteredArray:
    """Check that an answer on handles is an array of theirs.

    Raises
    ------
    ContractError
        If it is anything else; ``where`` says whose answer it is.
    """
    if not isinstance(answer, MeteredArray):
        message = f"{where}: expected an array of the namespace of x, got {type(answer).__name__}"
        raise ContractError(message, help="compute it with xp = x.__array_namespace__()")
    return answer


class Worker:
    """Does what the harness asks for, one request at a time."""

    def __init__(self, pipe: Pipe, sandbox: str = "none") -> None:
        self._pipe = pipe
        self._around = mends.Around(Path(), sandbox=sandbox)  # what helps to tell an error
        self._meter = OverPipe(pipe)
        self._namespace = MeteredNamespace(self._meter)
        self._submission: Submission | None = None
        self._described: dict[str, Description] = {}
        self._plain = Model({})
        self._structure: Any = None
        self._on_gpu = False

    def serve(self) -> None:
        """Answer requests until the harness goes."""
        turn = ""
        while True:
            try:
                header, payload = self._pipe.receive()
            except EOFError:
                return
            turn = header.get("turn", turn)  # none where the meter tells that it could not do the last part
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
        """Give the error that came first: what still waits was asked for before an error was raised."""
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
        self._submission = construct(path, header["entry"], task, settings, variant)
        _refuse_other_domains(self._submission, declared=header["uses_tags"])
        return {"routed": is_routed(self._submission), "own": bool(own.DEFINED)}, b""

    def do_fit(self, header: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Fit; give the parameters. Others must be able to fit the same, whatever is installed there."""
        arrays = safetensors.numpy.load(payload)
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(header["entropy"])))
        with backends.use("steady"):
            fitted = self._loaded.fit(_split(arrays, "train"), _split(arrays, "valid"), rng)
        model = model_of(fitted, routed=is_routed(self._loaded))
        told = None if model.structure is None else encode(model.structure)
        return told, safetensors.numpy.save(dict(model))

    def do_hold(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Take the handles of the parameters, and the structure."""
        self._described = {name: unpack_description(told) for name, told in header["params"].items()}
        self._structure = _read(header)
        self._meter.foresight.hold(self._described.values())
        return None, b""

    def do_predict(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Predict on handles."""
        return self._told(self._loaded.predict(self._params(), *self._begin(header)), "predict"), b""

    def do_route(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Route on handles."""
        assert isinstance(self._submission, Routed)
        routes = routes_of(
            self._submission.router.route(part_of(self._params(), "router"), *self._begin(header))
        )
        gates = None if routes.gates is None else self._told(routes.gates, "route: gates")
        return {"experts": self._told(routes.experts, "route: experts"), "gates": gates}, b""

    def do_apply(self, header: dict[str, Any], _: bytes) -> tuple[Any, bytes]:
        """Run the experts on handles."""
        assert isinstance(self._submission, Routed)
        given = [None if header[name] is None else unpack_description(header[name]) for name in _APPLIED]
        self._meter.foresight.go_on("apply", given, header["next"])
        x, experts, gates = map(self._namespace.wrap, given)
        answer = self._submission.experts.apply(part_of(self._params(), "experts"), x, Routes(experts, gates))
        return self._told(answer, "apply"), b""

    def do_arm(self, header: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Take real parameters to be timed with, to the GPU if that is timed."""
        arrays = safetensors.numpy.load(payload)
        self._on_gpu = header["gpu"]
        self._plain = Model(gpu.to_gpu(arrays) if self._on_gpu else arrays, _read(header))
        return None, b""

    def do_run(self, _: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Predict on real inputs, which are fresh and never scored; give the bytes of the answer.

        Told with it: which faces of primitives ran, and the seconds on a GPU by its own clock.
        """
        loaded = safetensors.numpy.load(payload)
        given = {name: loaded[name] for name in _GIVEN if name in loaded}
        inside = None
        with backends.use("auto"), backends.recorded() as ran:
            if self._on_gpu:
                answer, inside = gpu.predict_on_gpu(self._loaded.predict, self._real(), given)
            else:
                answer = np.asarray(self._loaded.predict(self._real(), *given.values()))
        told = {"faces": sorted({face for _, face in ran}), "seconds": inside}
        return told, np.ascontiguousarray(answer, dtype=np.float64).tobytes()

    def do_try(self, _: dict[str, Any], payload: bytes) -> tuple[Any, bytes]:
        """Try the submission's own primitives on what they are called with for real inputs."""
        from sparsebench.evaluate.child.own_kernels import try_own  # noqa: PLC0415 - only `sparsebench check` asks

        given = safetensors.numpy.load(payload)
        inputs = [given[name] for name in _GIVEN if name in given]
        return [list(found) for found in try_own(self._loaded.predict, self._real(), inputs)], b""

    @property
    def _loaded(self) -> Submission:
        assert self._submission is not None
        return self._submission

    def _begin(self, header: dict[str, Any]) -> list[Any]:
        """Stand at the begin of what is done with an input; give its arrays."""
        given = [unpack_description(header[name]) for name in _GIVEN if name in header]
        self._meter.foresight.begin(header["do"], given, header["next"])
        return [self._namespace.wrap(about) for about in given]

    def _params(self) -> Model:
        wrapped = {name: self._namespace.wrap(about) for name, about in self._described.items()}
        return Model(wrapped, self._structure)

    def _real(self) -> Model:
        """Give the real parameters in a dict of predict's own."""
        return Model(self._plain, self._plain.structure)

    @staticmethod
    def _told(answer: Any, where: str) -> Any:
        """Give the handle of an answer. The harness pins it before it hears that we have dropped it."""
        return array_of(answer, where).handle.number


def _read(header: dict[str, Any]) -> Any:
    """Read the structure that comes with the parameters: a copy of this process's own."""
    text = header.get("structure")
    return None if text is None else decode(text)


def _refuse_other_domains(submission: Submission, *, declared: bool) -> None:
    try:
        check_domains(submission, declared=declared)
    except ContractError as error:  # nothing of it has run yet: the cell is refused, it has not failed
        raise RefusedError(error.what, help=error.help) from None


def _split(arrays: dict[str, np.ndarray[Any, Any]], name: str) -> Split:
    found = {field: arrays.get(f"{name}.{field}") for field in ("id", "x", "y", "tag")}
    return Split(**{field: None if a is None else np.array(a) for field, a in found.items()})  # type: ignore[arg-type]


def own_line(error: BaseException, folder: Path, include: Sequence[Path] = ()) -> str:
    """Name the last line of a submission's code that an error went through: nothing if there is none.

    Parameters
    ----------
    error
        The error.
    folder
        Where the code lies: files are named as seen from there.
    include
        Files of it that lie elsewhere.
    """
    where = ""
    asked_at = place_of(error)
    asked = [] if asked_at is None else [asked_at]
    for frame in (*traceback.extract_tb(error.__traceback__), *asked):
        if Path(frame.filename).is_relative_to(folder) or Path(frame.filename) in include:
            where = f"{os.path.relpath(frame.filename, folder)}:{frame.lineno} in {frame.name}"
    return where


def _describe(error: BaseException, around: mends.Around) -> dict[str, Any]:
    """Tell an error in JSON: its type, its first line, and the submission's own line that it comes from."""
    told = {"type": _kind(error), "text": _first_line(error), "where": "", "source": "", "help": ""}
    if around.path != Path():
        told |= {"where": own_line(error, around.path), "source": mends.source_of(error, around.path)}
    return told | {"help": error.help if isinstance(error, SparsebenchError) else mends.mend(error, around)}


def _kind(error: BaseException) -> str:
    """Name the class of an error: of a subclass of one of ours, ours."""
    names = (kind.__name__ for kind in type(error).__mro__ if kind.__module__ == SparsebenchError.__module__)
    return next(names, type(error).__name__)


def _first_line(error: BaseException) -> str:
    try:
        text = error.what if isinstance(error, SparsebenchError) else str(error)
    except Exception as inner:  # noqa: BLE001 - an exception of a submission may not even print
        return f"it cannot be printed: {type(inner).__name__}"
    return text.strip().partition("\n")[0][:1000]
