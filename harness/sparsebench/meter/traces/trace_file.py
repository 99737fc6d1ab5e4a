"""The file of a trace: a zip archive of JSON and safetensors. It cannot contain code.

docs/traces.md describes its content; :mod:`sparsebench.meter.traces.trace_reader` reads it.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from sparsebench.errors import UsageError
from sparsebench.ground.replacing import replacing
from sparsebench.meter.model_file import save_model
from sparsebench.meter.traces.trace import pack_real

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sparsebench.meter.traces.trace import Stream

__all__ = ["FORMAT", "HEADER", "MOST_MODEL_BYTES", "VERSION", "Inputs", "Trace", "write_trace"]

FORMAT, VERSION = "sparsebench-trace", 2
"""What a header begins with: the name of the format, and the version of everything below it."""

MOST_MODEL_BYTES = 1 << 30
"""Bytes of the largest model that a trace may hold."""


@dataclass(frozen=True)
class Inputs:
    """The stored facts about each input: lists of one length, in the order of the sample."""

    id: list[int]
    """Its ``id`` in the test split."""
    stream: list[int]
    """The number of its stream."""
    prediction: list[float]
    """The prediction."""
    loaded_parameters: list[int]
    """Distinct parameter elements that were read."""
    loaded_bytes: list[int]
    """Bytes of those."""


@dataclass(frozen=True)
class Trace:
    """Everything that is needed to replay a submission's requests for its sampled inputs."""

    cell_key: str
    """The name of the cell."""
    task: str
    """Task reference."""
    instance: str
    """Name of the instance."""
    model_hash: str
    """SHA-256 of ``model.safetensors``."""
    cost_model: int
    """Version of the prices."""
    model: Mapping[str, np.ndarray[Any, Any]]
    """The parameters; a :class:`~sparsebench.meter.model.Model` where they have a structure."""
    constants: dict[str, np.ndarray[Any, Any]]
    """Arrays that the submission made by itself, by :func:`~sparsebench.meter.engine.values.array_hash`."""
    streams: tuple[Stream, ...]
    """The different streams, in the order in which the inputs first need them."""
    inputs: Inputs
    """The stored facts about each input."""


HEADER = ("cell_key", "task", "instance", "model_hash", "cost_model")
"""Fields of a trace that are in its header."""


def write_trace(path: Path, trace: Trace) -> bool:
    """Write a trace, whole or not at all; the same trace gives the same bytes.

    Parameters
    ----------
    path
        The file. Its folder is made if missing.

    Returns
    -------
    bool
        False, with nothing written, if the model is larger than a trace may hold.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    model = save_model(trace.model)
    if len(model) > MOST_MODEL_BYTES:
        return False
    header = {"format": FORMAT, "version": VERSION, **{name: getattr(trace, name) for name in HEADER}}
    constants = {name: _as_bytes(array) for name, array in sorted(trace.constants.items())}
    members = {
        "header.json": _dumped(header),
        "inputs.json": _dumped(_columns(trace.inputs)),
        "streams.jsonl": "".join(f"{stream.line}\n" for stream in trace.streams).encode(),
        "model.safetensors": model,
        "constants.safetensors": safetensors.numpy.save(constants),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            _write_archive(temporary, members)
    except OSError as fault:
        message = f"cannot write a trace to {path}: {fault.strerror or fault}"
        raise UsageError(message, help="free the space, or evaluate without --traces") from fault
    return True


def _columns(inputs: Inputs) -> dict[str, list[Any]]:
    """Return the facts about the inputs as JSON. A few predictions may be NaN alone, and not in a batch."""
    return vars(inputs) | {"prediction": [pack_real(value) for value in inputs.prediction]}


def _dumped(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _as_bytes(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.frombuffer(array.tobytes(), dtype=np.uint8)


def _write_archive(path: Path, members: dict[str, bytes]) -> None:
    with path.open("xb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, allowZip64=False) as archive:
            for name, content in members.items():
                about = zipfile.ZipInfo(name)  # dated 1980, so that bytes do not depend on the day
                about.compress_type, about.create_system = zipfile.ZIP_DEFLATED, 3
                archive.writestr(about, content)
        file.flush()
        os.fsync(file.fileno())
