"""Request streams: a submission's requests for one input, recorded so that they can be replayed.

A stream is JSON: the requests of each phase in their order, and the arrays that were the answers. An array is
named by its origin, not by its handle: ``{"h": 0}`` is the input, ``{"t": 0}`` its domain, ``{"h": 3}`` the
third result of the stream, ``{"p": "w"}`` a parameter. Other arguments are written as on the pipe
(:mod:`sparsebench.meter.wire`). docs/traces.md describes the format.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import IntegrityError
from sparsebench.meter.values import DTYPES, Handle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Stream", "load_json", "pack", "pack_real", "unpack", "unpack_real"]

_DEPTH = 8
_MOST_AXES, _LONGEST_AXIS = 64, 2**63  # as NumPy
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def pack(value: Any, name: Callable[[Handle], Any]) -> Any:  # noqa: PLR0911 - a line for each kind
    """Turn an argument into JSON.

    Parameters
    ----------
    value
        The engine's argument: arrays as handles, everything else plain.
    name
        Returns what to write for a handle.
    """
    if isinstance(value, Handle):
        return name(value)
    if isinstance(value, tuple):
        return [pack(item, name) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return pack_real(value)
    if isinstance(value, complex):
        return {"c": [pack_real(value.real), pack_real(value.imag)]}
    if isinstance(value, slice):
        return {"s": [value.start, value.stop, value.step]}
    return {"e": 0} if isinstance(value, EllipsisType) else np.dtype(value).name


def pack_real(value: float) -> Any:
    """Turn a real number into JSON, which has no NaN and no infinity."""
    return float(value) if math.isfinite(value) else {"f": repr(float(value))}


def unpack(  # noqa: PLR0911 - as above
    value: Any, resolve: Callable[[dict[str, Any]], Any], depth: int = 0
) -> Any:
    """Turn JSON into an argument again.

    Parameters
    ----------
    value
        What :func:`pack` returned.
    resolve
        Returns what ``{"h": 3}`` or ``{"p": "w"}`` means.

    Raises
    ------
    IntegrityError
        If it is no argument.
    """
    if isinstance(value, list) and depth < _DEPTH:
        return tuple(unpack(item, resolve, depth + 1) for item in value)
    if not isinstance(value, dict | list):
        return value
    if isinstance(value, dict) and _is_name(value):
        return resolve(value)
    match value:
        case {"s": [start, stop, step], **rest} if not rest and all(
            part is None or type(part) is int for part in (start, stop, step)
        ):
            return slice(start, stop, step)
        case {"f": _}:
            return unpack_real(value)
        case {"c": [real, imaginary], **rest} if not rest:
            return complex(unpack_real(real), unpack_real(imaginary))
        case {"e": 0, **rest} if not rest:
            return ...
    raise IntegrityError("expected an argument, got something else")


def unpack_real(value: Any) -> float:
    """Turn the result of :func:`pack_real` into a real number again.

    Raises
    ------
    IntegrityError
        If it is none.
    """
    match value:
        case float():
            return value
        case {"f": str(text), **rest} if not rest and text in _NOT_FINITE:
            return _NOT_FINITE[text]
    raise IntegrityError("expected a real number, got something else")


def _is_name(value: Any) -> bool:
    match value:
        case {"h": number, **rest}:
            return not rest and type(number) is int and number >= 0
        case {"t": number, **rest}:
            return not rest and type(number) is int and number == 0
        case {"p": name, **rest}:
            return not rest and isinstance(name, str)
    return False


@dataclass(frozen=True)
class Stream:
    """The requests for one input.

    A request is ``["call", name, args, kwargs]``, ``["constant", hash, dtype, shape]``,
    ``["bit", array, told]`` or ``["shape", array, told]``.
    """

    router: list[Any] | None
    """Requests of the router; None without one."""
    routes: list[Any] | None
    """The arrays of the experts and of the gates (or None) that the router gave; None without one."""
    experts: list[Any]
    """Requests of the experts, or of all of predict."""
    answer: dict[str, Any]
    """The array of the prediction."""

    @property
    def line(self) -> str:
        """The stream as one line of JSON."""
        return json.dumps(vars(self), separators=(",", ":"), allow_nan=False)

    @property
    def requests(self) -> list[Any]:
        """All requests in their order."""
        return [*(self.router or []), *self.experts]

    @classmethod
    def parse(cls, line: str) -> Stream:
        """Read a stream from its :attr:`line`.

        Raises
        ------
        ValueError
            If it is not a stream; the text says what was expected and what is there.
        RecursionError
            If it is nested too deeply.
        """
        told = load_json(line)
        if not isinstance(told, dict) or set(told) != set(cls.__dataclass_fields__):
            got = sorted(told) if isinstance(told, dict) else type(told).__name__
            raise ValueError(f"expected a stream with {sorted(cls.__dataclass_fields__)}, got {got}")
        match told:
            case {"router": None, "routes": None, "experts": list(), "answer": answer} if _is_name(answer):
                pass
            case {"router": list(), "routes": [experts, gates], "experts": list(), "answer": answer} if (
                _is_name(experts) and (gates is None or _is_name(gates)) and _is_name(answer)
            ):
                pass
            case _:
                raise ValueError("expected lists of requests and the names of their answers, got others")
        stream = cls(**told)
        for place, request in enumerate(stream.requests):
            if not _is_request(request):
                raise ValueError(f"request {place}: expected a call, a constant, a bit or a shape")
        return stream

    def last_uses(self) -> dict[int, int]:
        """Return for each result the last request that uses it; an answer is used after the last request."""
        requests = self.requests
        last = {number: place for place, request in enumerate(requests) for number in _names_in(request)}
        return last | dict.fromkeys(_names_in([self.routes, self.answer]), len(requests))

    def constants(self) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """Yield the arrays that it needs: hash, dtype and shape."""
        for what, *rest in self.requests:
            if what == "constant":
                yield rest[0], rest[1], tuple(rest[2])


def load_json(text: str) -> Any:
    """Read JSON and nothing else: Python's own ``NaN`` and ``Infinity`` are none.

    Raises
    ------
    ValueError
        If it is no JSON.
    RecursionError
        If it is nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"expected JSON, got {text}")


def _is_request(request: Any) -> bool:
    match request:
        case ["call", str(), list(), dict()]:
            return True
        case ["constant", str(), str(dtype), list(shape)]:
            return dtype in DTYPES and _is_shape(shape)
        case ["bit", array, bool()]:
            return _is_name(array)
        case ["shape", array, list(shape)]:
            return _is_name(array) and _is_shape(shape)
    return False


def _is_shape(shape: list[Any]) -> bool:
    """Return whether an array may have that shape: unbounded numbers would take hours to multiply."""
    return len(shape) <= _MOST_AXES and all(
        type(length) is int and 0 <= length < _LONGEST_AXIS for length in shape
    )


def _names_in(value: Any) -> Iterator[int]:
    """Find the numbers of all results that a request names, at any depth of nesting."""
    left = [value]
    while left:
        inner = left.pop()
        if isinstance(inner, list):
            left += inner
        elif isinstance(inner, dict):
            if _is_name(inner) and "h" in inner:
                yield inner["h"]
            left += inner.values()
