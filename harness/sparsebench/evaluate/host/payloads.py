"""The payloads on the pipe: the data that a submission fits on, and the model that it returns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import safetensors.numpy

from sparsebench.errors import ContractError, FailedError
from sparsebench.evaluate.host import errors_told
from sparsebench.evaluate.host.errors_told import one_line
from sparsebench.meter.model import Model
from sparsebench.meter.structure import decode
from sparsebench.models.returned import STORED
from sparsebench.ops import backends

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.tasks import Split

__all__ = ["BACKENDS", "Finding", "Timed", "check_arrays", "findings", "inputs", "model", "split", "timed"]

BACKENDS = frozenset({*backends.BACKENDS, "steady", "reference", "own"})
"""What a backend of a primitive may be called."""

_MOST_ARRAYS, _LONGEST_NAME = 4096, 64
_MEND = "return a dict of str to numpy.ndarray"


class Timed(NamedTuple):
    """One prediction on real inputs."""

    answer: np.ndarray[Any, Any]
    """The answer, float64."""
    seconds: float
    """What it took, by the harness's clock."""
    backends: frozenset[str]
    """Backends of primitives that ran, as the process tells."""
    inside: float | None
    """Seconds on the GPU, as the process reports."""


class Finding(NamedTuple):
    """The result of one trial of a primitive."""

    primitive: str
    """Its name."""
    what: str
    """What was tried: ``cost``, ``cpu``, ``compiles`` or ``kernel``."""
    ok: bool
    """Whether it passes; also true if it could not be tried."""
    detail: str
    """One line."""


def split(name: str, given: Split) -> dict[str, np.ndarray[Any, Any]]:
    """Return a split's arrays as ``train.id``, ``train.x``, ``train.y`` and, if it exists, ``train.tag``."""
    fields = {"id": given.id, "x": given.x, "y": given.y, "tag": given.tag}
    return {f"{name}.{field}": np.ascontiguousarray(a) for field, a in fields.items() if a is not None}


def inputs(given: Inputs) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of inputs as ``x`` and, if the submission uses domains, ``tag``."""
    return {name: np.ascontiguousarray(a) for name, a in vars(given).items() if a is not None}


def model(payload: bytes, told: Any = None) -> Model:
    """Read a model from the message of a stranger's process.

    Parameters
    ----------
    payload
        The arrays, as safetensors.
    told
        The text of the structure; None if there is none.

    Raises
    ------
    FailedError
        If they are not arrays, too many, or of a dtype that a stored model cannot have; or if the text is not
        that of a structure.
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
    """Check that arrays are not too many, and of dtypes that a stored model can have.

    Raises
    ------
    FailedError
        If they are not.
    """
    if len(parameters) > _MOST_ARRAYS or any(len(name) > _LONGEST_NAME for name in parameters):
        message = f"fit: expected at most {_MOST_ARRAYS:,} arrays with names up to {_LONGEST_NAME} characters"
        raise FailedError(message, help="stack arrays of one shape into one")
    for array in parameters.values():
        if array.dtype.name not in STORED:
            message = f"fit: expected arrays of one of {', '.join(STORED)}, got {array.dtype.name}"
            raise FailedError(message, help=_MEND)


def _structure(told: Any) -> Any:
    if type(told) is not str:
        raise errors_told.not_a_message()
    try:
        return decode(told)
    except ContractError as error:
        raise FailedError(f"fit: {one_line(error.what)}", help=error.help) from None


def timed(told: Any, payload: bytes, seconds: float) -> Timed:
    """Read a stranger's report of a timed run: the answer, backends of primitives, its own clock.

    Raises
    ------
    RefusedError
        If a backend does not exist, or the seconds are not a length of time.
    """
    ran, inside = (told.get("backends"), told.get("seconds")) if isinstance(told, dict) else (None, None)
    if not isinstance(ran, list) or not all(isinstance(name, str) and name in BACKENDS for name in ran):
        raise errors_told.not_a_message()
    if inside is not None and not (type(inside) is float and 0 <= inside < math.inf):
        raise errors_told.not_a_message()
    answer = np.frombuffer(payload[: len(payload) // 8 * 8], dtype=np.float64)
    return Timed(answer, seconds, frozenset(ran), inside)


def findings(told: Any) -> list[Finding]:
    """Read a stranger's report on its own primitives: lines for its author.

    Raises
    ------
    RefusedError
        If it is anything else.
    """
    if not isinstance(told, list):
        raise errors_told.not_a_message()
    return [_finding(item) for item in told[:_MOST_ARRAYS]]


def _finding(told: Any) -> Finding:
    kinds = [type(part) for part in told] if isinstance(told, list) else []
    if kinds != [str, str, bool, str]:
        raise errors_told.not_a_message()
    primitive, what, ok, detail = told
    return Finding(one_line(primitive), one_line(what), ok, one_line(detail))
