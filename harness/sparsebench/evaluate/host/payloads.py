"""What is on the pipe: what a submission fits on, and the model that it gives back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import safetensors.numpy

from sparsebench.errors import ContractError, FailedError
from sparsebench.evaluate.host import reports
from sparsebench.meter.model import Model
from sparsebench.meter.structure import decode
from sparsebench.meter.values import DTYPES
from sparsebench.ops import backends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.tasks import Split

__all__ = ["FACES", "Finding", "Timed", "check_arrays", "findings", "inputs", "model", "split", "timed"]

FACES = frozenset({*backends.FACES, "steady", "reference", "own"})
"""What a face of a primitive may be called."""

_MOST_ARRAYS, _LONGEST_NAME = 4096, 64
_MEND = "return a dict of str to numpy.ndarray"
_STORED = tuple(name for name in DTYPES if not name.startswith("complex"))  # what a model file can hold


class Timed(NamedTuple):
    """One prediction on real inputs."""

    answer: np.ndarray[Any, Any]
    """What came back, float64."""
    seconds: float
    """What it took, by the harness's clock."""
    faces: frozenset[str]
    """Faces of primitives that ran, as the process tells."""
    inside: float | None
    """Seconds on the GPU, as the process tells."""


class Finding(NamedTuple):
    """One thing that was tried of a primitive."""

    primitive: str
    """Its name."""
    what: str
    """What was tried: ``cost``, ``cpu``, ``compiles`` or ``kernel``."""
    ok: bool
    """Whether it holds; also where it could not be tried."""
    detail: str
    """One line."""


def split(name: str, given: Split) -> dict[str, np.ndarray[Any, Any]]:
    """Name the arrays of a split ``train.id``, ``train.x``, ``train.y`` and, if it has one, ``train.tag``."""
    fields = {"id": given.id, "x": given.x, "y": given.y, "tag": given.tag}
    return {f"{name}.{field}": np.ascontiguousarray(a) for field, a in fields.items() if a is not None}


def inputs(given: Inputs) -> dict[str, np.ndarray[Any, Any]]:
    """Name the arrays of inputs ``x`` and, where the submission uses them, ``tag``."""
    return {name: np.ascontiguousarray(a) for name, a in vars(given).items() if a is not None}


def model(payload: bytes, told: Any = None) -> Model:
    """Read a model from what a stranger's process sent.

    Parameters
    ----------
    payload
        The arrays, as safetensors.
    told
        The text of the structure; None where there is none.

    Raises
    ------
    FailedError
        If they are no arrays, too many, or of a dtype that a stored model does not have; or if the text is
        that of no structure.
    """
    structure = None if told is None else _structure(told)
    try:
        parameters: dict[str, np.ndarray[Any, Any]] = safetensors.numpy.load(payload)
    except Exception as error:  # noqa: BLE001 - whatever an untrusted process sends, the parser may say
        message = f"fit: what came back are no arrays: {type(error).__name__}"
        raise FailedError(message, help=_MEND) from None
    check_arrays(parameters)
    return Model(parameters, structure)


def check_arrays(parameters: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Check that arrays are not too many, and of dtypes that a stored model has.

    Raises
    ------
    FailedError
        If they are not.
    """
    if len(parameters) > _MOST_ARRAYS or any(len(name) > _LONGEST_NAME for name in parameters):
        message = f"fit: expected at most {_MOST_ARRAYS:,} arrays with names up to {_LONGEST_NAME} characters"
        raise FailedError(message, help="stack arrays of one shape into one")
    for array in parameters.values():
        if array.dtype.name not in _STORED:
            message = f"fit: expected arrays of one of {', '.join(_STORED)}, got {array.dtype.name}"
            raise FailedError(message, help=_MEND)


def _structure(told: Any) -> Any:
    if type(told) is not str:
        raise reports.not_a_message()
    try:
        return decode(told)
    except ContractError as error:
        raise FailedError(f"fit: {reports.one_line(error.what)}", help=error.help) from None


def timed(told: Any, payload: bytes, seconds: float) -> Timed:
    """Read what a stranger's process gives of a timed run: the answer, faces of primitives, its own clock.

    Raises
    ------
    RefusedError
        If a face is called as none is, or the seconds are no length of time.
    """
    faces, inside = (told.get("faces"), told.get("seconds")) if isinstance(told, dict) else (None, None)
    if not isinstance(faces, list) or not all(isinstance(face, str) and face in FACES for face in faces):
        raise reports.not_a_message()
    if inside is not None and not (type(inside) is float and 0 <= inside < math.inf):
        raise reports.not_a_message()
    answer = np.frombuffer(payload[: len(payload) // 8 * 8], dtype=np.float64)
    return Timed(answer, seconds, frozenset(faces), inside)


def findings(told: Any) -> list[Finding]:
    """Read what a stranger's process tells of its own primitives: lines for its author.

    Raises
    ------
    RefusedError
        If it is anything else.
    """
    if not isinstance(told, list):
        raise reports.not_a_message()
    return [_finding(item) for item in told[:_MOST_ARRAYS]]


def _finding(told: Any) -> Finding:
    kinds = [type(part) for part in told] if isinstance(told, list) else []
    if kinds != [str, str, bool, str]:
        raise reports.not_a_message()
    primitive, what, ok, detail = told
    return Finding(reports.one_line(primitive), reports.one_line(what), ok, reports.one_line(detail))
