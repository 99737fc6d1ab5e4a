"""The format on the pipe: a frame is a JSON header and raw bytes. It cannot contain code.

A frame is ``uint32 header length, uint64 payload length`` (little-endian), the header, the payload. In a
header ``{"h": 7}`` is a handle, ``{"s": [a, b, c]}`` a slice, ``{"e": 0}`` an ellipsis and ``{"c": [a, b]}``
the complex number a + bi; lists are tuples. ``{"batch": [...]}`` holds several requests, executed one after
the other; ``bytes`` of a request is the number of its bytes in the payload.
"""

from __future__ import annotations

import json
import math
import os
import select
import struct
import time
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import RefusedError, TimeLimitError
from sparsebench.meter.values import DTYPES, Description, Handle

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "RAISED",
    "Pipe",
    "arguments",
    "array",
    "numbers",
    "pack",
    "pack_description",
    "requests",
    "unpack",
    "unpack_description",
]

RAISED: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (TypeError, ValueError, ArithmeticError, AttributeError, IndexError, KeyError)
}
"""Errors that cross the pipe with their own class, by name."""

_FRAME = struct.Struct("<IQ")
_HEADER_LIMIT = 16 << 20
_DEPTH = 8
_MOST_AXES = 64  # as NumPy
_CHUNK = 1 << 20
_SMALL = 4096  # most bytes that are read, or sent with their header, at once
_LEAST, _MOST = -(2**63), 2**64 - 1
# json.dumps makes an encoder for every call, and json.loads tries other encodings than UTF-8.
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_DECODE = json.JSONDecoder().decode


class Pipe:
    """Two file descriptors for frames.

    Parameters
    ----------
    reads, writes
        Open file descriptors.
    limit
        Most bytes of payload to accept in one frame; None for no limit.
    """

    def __init__(self, reads: int, writes: int, *, limit: int | None = None) -> None:
        self._reads = reads
        self._writes = writes
        self._readable, self._writable = _poll(reads, select.POLLIN), _poll(writes, select.POLLOUT)
        self._limit = limit
        self._deadline: float | None = None
        self._ahead = bytearray()

    def set_deadline(self, deadline: float | None) -> None:
        """Set the time of :func:`time.monotonic` at which waiting for the other end stops."""
        for descriptor in (self._reads, self._writes):
            os.set_blocking(descriptor, deadline is None)
        self._deadline = deadline

    def send(self, header: dict[str, Any], payload: bytes | memoryview = b"") -> None:
        """Send one frame."""
        text = _ENCODE(header).encode()
        head = _FRAME.pack(len(text), len(payload)) + text
        if len(payload) <= _SMALL:
            self._write(head + bytes(payload))
        else:
            self._write(head)
            self._write(payload)

    def receive(self) -> tuple[dict[str, Any], bytes]:
        """Receive one frame.

        Raises
        ------
        EOFError
            If the other end is closed.
        TimeLimitError
            If the deadline passes first.
        RefusedError
            If the bytes are not a frame, or are more than allowed.
        """
        self._seconds_left()
        header_length, payload_length = _FRAME.unpack(self._read(_FRAME.size))
        if header_length > _HEADER_LIMIT or (self._limit is not None and payload_length > self._limit):
            raise RefusedError(
                f"a message of {header_length + payload_length:,} bytes is too long",
                help="return fewer or smaller arrays, or raise --memory-limit",
            )
        try:
            header = _DECODE(self._read(header_length).decode())
        except (ValueError, RecursionError):
            raise _not_a_message() from None
        if not isinstance(header, dict):
            raise _not_a_message()
        return header, self._read(payload_length) if payload_length else b""

    def demand_time(self) -> None:
        """Check that the deadline has not passed.

        Raises
        ------
        TimeLimitError
            If it has.
        """
        self._seconds_left()

    def close(self) -> None:
        """Close both descriptors."""
        for descriptor in {self._reads, self._writes}:
            os.close(descriptor)

    def _read(self, length: int) -> bytes:
        """Read this number of bytes; a small frame comes in one piece, and what follows it is kept here."""
        while len(self._ahead) < length:
            self._ahead += self._take(max(min(length - len(self._ahead), _CHUNK), _SMALL))
        taken = bytes(memoryview(self._ahead)[:length])
        del self._ahead[:length]
        return taken

    def _take(self, most: int) -> bytes:
        """Read the available bytes, at least one."""
        while True:
            left = self._seconds_left()
            try:
                chunk = os.read(self._reads, most)
            except BlockingIOError:
                self._wait(self._readable, left)
                continue
            if not chunk:
                raise EOFError
            return chunk

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            left = self._seconds_left()
            try:
                view = view[os.write(self._writes, view[:_CHUNK]) :]
            except BlockingIOError:
                self._wait(self._writable, left)
            except BrokenPipeError:
                raise EOFError from None

    def _seconds_left(self) -> float:
        """Return the time to the deadline, at which even a sender that never pauses must stop."""
        if self._deadline is None:
            return math.inf
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise _too_late()
        return left

    @staticmethod
    def _wait(ready: select.poll, seconds: float) -> None:
        """Wait until a descriptor is ready, but not past the deadline."""
        if not ready.poll(seconds * 1000):
            raise _too_late()


def _poll(descriptor: int, event: int) -> select.poll:
    poll = select.poll()
    poll.register(descriptor, event)
    return poll


def _too_late() -> TimeLimitError:
    return TimeLimitError("the time limit has passed", help="make it faster, or raise --time-limit")


def _not_a_message() -> RefusedError:
    return RefusedError("the process sent something that is not a message")


def pack(value: Any) -> Any:
    """Turn an argument into JSON."""
    if isinstance(value, tuple) and not isinstance(value, Handle):
        return [pack(item) for item in value]
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        raise TypeError("expected integers of at most 64 bits")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, type):
        return np.dtype(value).name
    return _pack_object(value)


def _pack_object(value: Any) -> dict[str, Any]:
    if isinstance(value, Handle):
        return {"h": value.number}
    if isinstance(value, slice):
        return {"s": [value.start, value.stop, value.step]}
    if isinstance(value, EllipsisType):
        return {"e": 0}
    if isinstance(value, complex):
        return {"c": [value.real, value.imag]}
    raise TypeError(f"expected arrays and Python numbers, got {type(value).__name__}")


def unpack(value: Any, depth: int = 0) -> Any:
    """Turn JSON from the other side into an argument, or refuse it."""
    if depth > _DEPTH:
        raise RefusedError("a message nested too deeply")
    kind = type(value)
    if kind is list:
        return tuple([unpack(item, depth + 1) for item in value])
    if kind is not dict:
        return value
    number = value.get("h")
    if type(number) is int and len(value) == 1:  # most arguments are arrays
        return Handle(number)
    match value:
        case {"s": [start, stop, step]} if all(
            part is None or type(part) is int for part in (start, stop, step)
        ):
            return slice(start, stop, step)
        case {"c": [float(real), float(imaginary)]}:
            return complex(real, imaginary)
        case {"e": _}:
            return ...
    raise _not_a_message()


def requests(header: dict[str, Any], payload: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield the requests of a frame, each with its part of the payload, or refuse them."""
    if "batch" not in header:
        yield header, payload
        return
    batch = header["batch"]
    if not isinstance(batch, list) or not batch or not all(isinstance(one, dict) for one in batch):
        raise _not_a_message()
    begin = 0
    for one in batch:
        (length,) = numbers([one["bytes"]]) if "bytes" in one else (0,)
        if length < 0 or begin + length > len(payload) or "batch" in one:
            raise _not_a_message()
        yield one, payload[begin : begin + length]
        begin += length


def arguments(request: dict[str, Any]) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return the name and the arguments of a call from the other side, or refuse them."""
    name, args, kwargs = request.get("call"), request.get("args"), request.get("kwargs")
    # JSON has exactly these types.
    if type(name) is not str or type(args) is not list or type(kwargs) is not dict:
        raise _not_a_message()
    return name, unpack(args), {key: unpack(value) for key, value in kwargs.items()} if kwargs else kwargs


def pack_description(about: Description) -> list[Any]:
    """Turn a description into JSON: ``[number, dtype, ndim, shape or null]``."""
    return [about.handle.number, about.dtype, about.ndim, None if about.shape is None else list(about.shape)]


def unpack_description(told: list[Any]) -> Description:
    """Turn JSON into a description."""
    number, dtype, ndim, shape = told
    return Description(Handle(number), dtype, ndim, None if shape is None else tuple(shape))


def numbers(value: Any) -> list[int]:
    """Return a list of handle numbers from the other side, or refuse it."""
    if not isinstance(value, list) or not all(type(item) is int for item in value):
        raise _not_a_message()
    return value


def array(about: Any, payload: bytes) -> np.ndarray[Any, Any]:
    """Return an array from the other side, or refuse it."""
    match about:
        case [str(name), list(shape)] if all(type(length) is int and length >= 0 for length in shape):
            pass
        case _:
            raise _not_a_message()
    if name not in DTYPES:
        raise TypeError(f"asarray: expected one of the dtypes {', '.join(DTYPES)}, got {name}")
    dtype = np.dtype(name)
    # The number of axes is checked first: a product of a million lengths takes hours.
    if len(shape) > _MOST_AXES or len(payload) != math.prod(shape) * dtype.itemsize:
        raise RefusedError("the process sent an array whose bytes do not fill its shape")
    plain = np.frombuffer(payload, dtype=np.uint8)
    # A boolean from a byte that is neither 0 nor 1 would count as more than 1 in sums.
    flat: np.ndarray[Any, Any] = plain != 0 if dtype == np.bool_ else plain.view(dtype)
    return flat.reshape(shape)
