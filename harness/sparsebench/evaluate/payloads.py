"""The arrays on the pipe: what a submission fits on, and the model that it gives back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from sparsebench.errors import FailedError
from sparsebench.meter.values import DTYPES

if TYPE_CHECKING:
    from sparsebench.evaluate.inputs import Inputs
    from sparsebench.tasks import Split

__all__ = ["inputs", "model", "split"]

_MOST_ARRAYS, _LONGEST_NAME = 4096, 256
_STORED = tuple(name for name in DTYPES if not name.startswith("complex"))  # what a model file can hold


def split(name: str, given: Split) -> dict[str, np.ndarray[Any, Any]]:
    """Name the arrays of a split ``train.id``, ``train.x``, ``train.y`` and, if it has one, ``train.tag``."""
    fields = {"id": given.id, "x": given.x, "y": given.y, "tag": given.tag}
    return {f"{name}.{field}": np.ascontiguousarray(a) for field, a in fields.items() if a is not None}


def inputs(given: Inputs) -> dict[str, np.ndarray[Any, Any]]:
    """Name the arrays of inputs ``x`` and, where the submission uses them, ``tag``."""
    return {name: np.ascontiguousarray(a) for name, a in vars(given).items() if a is not None}


def model(payload: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """Read a model from the bytes that a stranger's process sent.

    Raises
    ------
    FailedError
        If they are no arrays, too many, or of a dtype that a stored model does not have.
    """
    mend = "return a dict of str to numpy.ndarray"
    try:
        parameters: dict[str, np.ndarray[Any, Any]] = safetensors.numpy.load(payload)
    except Exception as error:  # noqa: BLE001 - whatever an untrusted process sends, the parser may say
        message = f"fit: what came back are no arrays: {type(error).__name__}"
        raise FailedError(message, help=mend) from None
    if len(parameters) > _MOST_ARRAYS or any(len(name) > _LONGEST_NAME for name in parameters):
        message = f"fit: expected at most {_MOST_ARRAYS:,} arrays with names up to {_LONGEST_NAME} characters"
        raise FailedError(message, help="stack arrays of one shape into one")
    for array in parameters.values():
        if array.dtype.name not in _STORED:
            message = f"fit: expected arrays of one of {', '.join(_STORED)}, got {array.dtype.name}"
            raise FailedError(message, help=mend)
    return parameters
