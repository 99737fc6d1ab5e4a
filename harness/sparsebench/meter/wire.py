"""The format on the pipe: a frame is a JSON header and raw bytes. Nothing of it can carry code.

A frame is ``uint32 header length, uint64 payload length`` (little-endian), the header, the payload. In a
header ``{"h": 7}`` is a handle, ``{"s": [a, b, c]}`` a slice and ``{"e": 0}`` an ellipsis; lists are tuples.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from types import EllipsisType
from typing import Any

import numpy as np

from sparsebench.errors import RefusedError, TimeLimitError
from sparsebench.meter.values import Description, Handle

__all__ = [
    "Pipe",
    "array",
    "numbers",
    "pack",
    "pack_description",
    "unpack",
    "unpack_description",
]

_FRAME = struct.Struct("<IQ")
_HEADER_LIMIT = 16 << 20
_DEPTH = 8
_CHUNK = 1 << 20


class Pipe:
    """Two file descriptors that frames go through.

    Parameters
    ----------
    reads, writes
        Open file descriptors.
    limit
        Most bytes of payload to take in one frame; None for no limit.
    """

    def __init__(self, reads: int, writes: int, *, limit: int | None = None) -> None:
        self._reads = reads
        self._writes = writes
        self._limit = limit
        self._deadline: float | None = None

    def set_deadline(self, deadline: float | None) -> None:
        """Give up waiting for the other end at this time of :func:`time.monotonic`."""
        for descriptor in (self._reads, self._writes):
            os.set_blocking(descriptor, deadline is None)
        self._deadline = deadline

    def send(self, header: dict[str, Any], payload: bytes | memoryview = b"") -> None:
        """Send one frame."""
        text = json.dumps(header, separators=(",", ":")).encode()
        self._write(_FRAME.pack(len(text), len(payload)) + text)
        if len(payload):
            self._write(payload)

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Take one frame.

        Raises
        ------
        EOFError
            If the other end is gone.
        TimeLimitError
            If the deadline passes first.
        RefusedError
            If what comes is not a frame, or larger than allowed.
        """
        header_length, payload_length = _FRAME.unpack(self._read(_FRAME.size))
        if header_length > _HEADER_LIMIT or (self._limit is not None and payload_length > self._limit):
            raise RefusedError(
                f"a message of {header_length + payload_length:,} bytes; the limit is {self._limit:,}",
                help="return fewer or smaller arrays, or raise --memory-limit",
            )
        try:
            header = json.loads(self._read(header_length))
        except ValueError:
            raise RefusedError("the process sent something that is not a message") from None
        if not isinstance(header, dict):
            raise RefusedError("the process sent something that is not a message")
        return header, self._read(payload_length)

    def close(self) -> None:
        """Close both ends that are here."""
        for descriptor in {self._reads, self._writes}:
            os.close(descriptor)

    def _read(self, length: int) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            self._wait(self._reads, write=False)
            chunk = os.read(self._reads, min(length - len(parts), _CHUNK))
            if not chunk:
                raise EOFError
            parts += chunk
        return bytes(parts)

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._writes, write=True)
            view = view[os.write(self._writes, view[:_CHUNK]) :]

    def _wait(self, descriptor: int, *, write: bool) -> None:
        """Wait until the descriptor is ready, but not past the deadline."""
        if self._deadline is None:
            return
        left = max(self._deadline - time.monotonic(), 0.0)
        ready = select.select([] if write else [descriptor], [descriptor] if write else [], [], left)
        if not any(ready):
            raise TimeLimitError("the time limit has passed", help="make it faster, or raise --time-limit")


def pack(value: Any) -> Any:
    """Turn an argument into JSON."""
    if isinstance(value, Handle):
        return {"h": value.number}
    if isinstance(value, tuple):
        return [pack(item) for item in value]
    if isinstance(value, slice):
        return {"s": [value.start, value.stop, value.step]}
    if isinstance(value, EllipsisType):
        return {"e": 0}
    if isinstance(value, type):
        return np.dtype(value).name
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"expected arrays and Python numbers, got {type(value).__name__}")


def unpack(value: Any, depth: int = 0) -> Any:
    """Turn JSON from the other side into an argument, or refuse it."""
    if depth > _DEPTH:
        raise RefusedError("a message nested too deeply")
    if isinstance(value, list):
        return tuple(unpack(item, depth + 1) for item in value)
    if not isinstance(value, dict):
        return value
    match value:
        case {"h": int(number)} if len(value) == 1:
            return Handle(number)
        case {"s": [start, stop, step]} if all(
            part is None or type(part) is int for part in (start, stop, step)
        ):
            return slice(start, stop, step)
        case {"e": _}:
            return ...
    raise RefusedError("the process sent something that is not a message")


def pack_description(about: Description) -> list[Any]:
    """Turn a description into JSON: ``[number, dtype, ndim, shape or null]``."""
    return [about.handle.number, about.dtype, about.ndim, None if about.shape is None else list(about.shape)]


def unpack_description(told: list[Any]) -> Description:
    """Turn JSON into a description."""
    number, dtype, ndim, shape = told
    return Description(Handle(number), dtype, ndim, None if shape is None else tuple(shape))


def numbers(value: Any) -> list[int]:
    """Take a list of handle numbers from the other side, or refuse it."""
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise RefusedError("the process sent something that is not a message")
    return value


def array(about: Any, payload: bytes) -> np.ndarray[Any, Any]:
    """Take an array from the other side, or refuse it."""
    match about:
        case [str(name), list(shape)] if all(type(length) is int and length >= 0 for length in shape):
            pass
        case _:
            raise RefusedError("the process sent something that is not a message")
    if name not in _PLAIN:
        raise TypeError(f"asarray: expected one of {', '.join(_PLAIN)}, got {name}")
    flat = np.frombuffer(payload, dtype=name)
    if flat.size != int(np.prod(shape, dtype=object)):
        raise RefusedError("the process sent an array whose bytes do not fill its shape")
    return flat.reshape(shape)


_PLAIN = (
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
)
