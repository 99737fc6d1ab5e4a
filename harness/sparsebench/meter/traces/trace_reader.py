"""Reading the file of a trace from any author.

Nothing in it is trusted: any deviation from docs/traces.md raises ``IntegrityError``, and no more is ever
unpacked than the limits below allow.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.numpy

from sparsebench.errors import ContractError, IntegrityError, RefusedError
from sparsebench.meter import wire
from sparsebench.meter.engine.values import array_hash
from sparsebench.meter.model_file import load_model
from sparsebench.meter.traces.tape import MOST_CONSTANT_BYTES, MOST_STREAM_BYTES
from sparsebench.meter.traces.trace import Stream, load_json, unpack_real
from sparsebench.meter.traces.trace_file import FORMAT, HEADER, MOST_MODEL_BYTES, VERSION, Inputs, Trace
from sparsebench.meter.values import DTYPES

if TYPE_CHECKING:
    import io
    from pathlib import Path

    import numpy as np

    from sparsebench.meter.model import Model

__all__ = ["read_trace"]

_JSON_BYTES = 1 << 20
_ROOM = 1 << 24  # for names of arrays, beside their bytes
_LIMITS = {
    "header.json": _JSON_BYTES,
    "inputs.json": _JSON_BYTES,
    "streams.jsonl": MOST_STREAM_BYTES + 1,
    "model.safetensors": MOST_MODEL_BYTES,
    "constants.safetensors": MOST_CONSTANT_BYTES + _ROOM,
}
_DIRECTORY_BYTES = 1 << 12
_LOCATOR = 20  # bytes before the end, where archives of another kind have their mark
_END = struct.Struct("<4s4H2LH")  # the last bytes of an archive without a comment
_MEND = "evaluate the cell again with --traces, with the version of sparsebench that reads it"
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError),
    *(RuntimeError, ArithmeticError, RefusedError),
    *(OSError, ValueError, KeyError, RecursionError, MemoryError, safetensors.SafetensorError),
)


def read_trace(path: Path) -> Trace:
    """Read a trace.

    Raises
    ------
    IntegrityError
        If it is not exactly what :func:`write_trace` writes; the error says what was expected and what is
        there.
    """
    try:
        members = _members(path)
        return _Reader(members).trace()
    except _Wrong as wrong:
        raise IntegrityError(f"{path}: {wrong}", help=_MEND) from None
    except _BROKEN as fault:
        why = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise IntegrityError(f"{path}: expected a trace, got a broken file ({why})", help=_MEND) from fault


class _Wrong(Exception):  # noqa: N818 - told as an IntegrityError that names the file
    """A fault in a part of a file."""

    def __init__(self, part: str, expected: object, got: object) -> None:
        super().__init__(f"{part}: expected {expected}, got {got}")


def _members(path: Path) -> dict[str, bytes]:
    """Unpack the five parts, each within its limit."""
    size = path.stat().st_size
    if size > sum(_LIMITS.values()):
        raise _Wrong("file", f"at most {sum(_LIMITS.values()):,} bytes", f"{size:,}")
    with path.open("rb") as file:
        _check_end(file, size)
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            found = archive.infolist()
            names = sorted(about.filename for about in found)
            if names != sorted(_LIMITS):
                raise _Wrong("file", f"the parts {', '.join(sorted(_LIMITS))}", ", ".join(names))
            return {about.filename: _member(archive, about) for about in found}


def _check_end(file: io.BufferedReader, size: int) -> None:
    """Refuse a directory that is not ours before its entries are read."""
    if size < _END.size:
        raise _Wrong("file", "a zip archive", f"{size} bytes")
    file.seek(max(0, size - _END.size - _LOCATOR))
    tail = file.read()
    magic, _, _, _, entries, length, _, comment = _END.unpack(tail[-_END.size :])
    if magic != b"PK\5\6" or comment or tail[:4] == b"PK\6\7":
        raise _Wrong("file", "a plain zip archive", "another end")
    if entries != len(_LIMITS) or length > _DIRECTORY_BYTES:
        raise _Wrong("file", f"{len(_LIMITS)} parts", f"a directory of {entries} in {length:,} bytes")


def _member(archive: zipfile.ZipFile, about: zipfile.ZipInfo) -> bytes:
    limit = _LIMITS[about.filename]
    if about.file_size > limit:
        raise _Wrong(about.filename, f"at most {limit:,} bytes", f"{about.file_size:,}")
    if about.compress_type != zipfile.ZIP_DEFLATED or about.flag_bits & 1:
        raise _Wrong(about.filename, "plain deflate", "another way of packing")
    with archive.open(about) as part:
        return part.read(limit)  # never more than file_size; zipfile checks the sum


class _Reader:
    """A reader of a trace from the parts of a file, none of which it trusts."""

    def __init__(self, members: dict[str, bytes]) -> None:
        self._members = members

    def trace(self) -> Trace:
        """Read all parts."""
        header, inputs, streams = self._header(), self._inputs(), self._streams()
        model = self._model(header["model_hash"])
        constants = self._constants(streams)
        if list(dict.fromkeys(inputs.stream)) != list(range(len(streams))):
            order = "numbers that first occur in their order, all of them"
            raise _Wrong("inputs.json: stream", f"{len(streams)} {order}", "others")
        if not all(array.dtype.name in DTYPES for array in model.values()):
            raise _Wrong("model.safetensors", f"one of the dtypes {', '.join(DTYPES)}", "another")
        return Trace(**header, model=model, constants=constants, streams=streams, inputs=inputs)

    def _json(self, part: str, keys: list[str]) -> dict[str, Any]:
        told = load_json(self._members[part].decode())
        if not isinstance(told, dict) or sorted(told) != sorted(keys):
            got = sorted(told) if isinstance(told, dict) else type(told).__name__
            raise _Wrong(part, f"exactly the keys {sorted(keys)}", got)
        return told

    def _header(self) -> dict[str, Any]:
        told = load_json(self._members["header.json"].decode())
        begins = (told.get("format"), told.get("version")) if isinstance(told, dict) else told
        if begins != (FORMAT, VERSION):
            raise _Wrong("header.json", f"format {FORMAT}, version {VERSION}", repr(begins)[:80])
        told = self._json("header.json", ["format", "version", *HEADER])
        for name in HEADER:
            kind = int if name == "cost_model" else str
            if type(told[name]) is not kind:
                raise _Wrong(f"header.json: {name}", kind.__name__, type(told[name]).__name__)
        return {name: told[name] for name in HEADER}

    def _inputs(self) -> Inputs:
        columns = [field.name for field in fields(Inputs)]
        told = self._json("inputs.json", columns)
        if isinstance(told["prediction"], list):
            told["prediction"] = [_real(value) for value in told["prediction"]]
        for name in columns:
            kind = float if name == "prediction" else int
            if not isinstance(told[name], list) or not all(type(value) is kind for value in told[name]):
                raise _Wrong(f"inputs.json: {name}", f"a list of {kind.__name__}", "something else")
        if len({len(told[name]) for name in columns}) != 1:
            raise _Wrong("inputs.json", "lists of one length", "several lengths")
        return Inputs(**told)

    def _streams(self) -> tuple[Stream, ...]:
        streams = []
        *lines, rest = self._members["streams.jsonl"].decode().split("\n")
        if rest:
            raise _Wrong("streams.jsonl", "lines", "one without an end")
        for number, line in enumerate(lines):
            try:
                streams.append(Stream.parse(line))
            except (ValueError, RecursionError) as fault:
                raise _Wrong(f"streams.jsonl: stream {number}", "requests", fault) from None
        return tuple(streams)

    def _model(self, expected: str) -> Model:
        content = self._members["model.safetensors"]
        got = hashlib.sha256(content).hexdigest()
        if got != expected:
            raise _Wrong(
                "model.safetensors", f"SHA-256 {expected[:12]}... as in the header", f"{got[:12]}..."
            )
        try:
            return load_model(content)
        except ContractError as fault:
            raise _Wrong("model.safetensors", "the file of a model", fault.what) from None

    def _constants(self, streams: tuple[Stream, ...]) -> dict[str, np.ndarray[Any, Any]]:
        plain = safetensors.numpy.load(self._members["constants.safetensors"])
        needed = {about for stream in streams for about in stream.constants()}
        if set(plain) != {name for name, *_ in needed}:
            raise _Wrong("constants.safetensors", f"{len(needed)} arrays, those of the streams", len(plain))
        constants = {}
        for name, dtype, shape in needed:  # of two different names at least one is wrong
            constants[name] = wire.array([dtype, list(shape)], plain[name].tobytes())
            if array_hash(constants[name]) != name:
                raise _Wrong(f"constants.safetensors: {name[:12]}...", "what its hash says", "another array")
        return constants


def _real(value: Any) -> float:
    try:
        return unpack_real(value)
    except IntegrityError as error:
        raise _Wrong("inputs.json: prediction", "real numbers", "something else") from error
