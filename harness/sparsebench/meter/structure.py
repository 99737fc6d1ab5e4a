"""A model's structure: plain JSON in addition to its arrays, whose values the code sees.

Each structure has one text, so that a model has one hash. A stranger's process sends such texts:
:func:`decode` accepts exactly what :func:`encode` returns, and nothing else.
"""

from __future__ import annotations

import json
from typing import Any

from sparsebench.errors import ContractError

__all__ = ["DEEPEST", "MOST_BYTES", "decode", "encode", "size_of"]

MOST_BYTES = 1 << 20
"""Bytes of the largest structure, as JSON in UTF-8."""

DEEPEST = 64
"""How many lists and dicts may lie within one another."""

_LEAST, _MOST = -(2**63), 2**64 - 1  # as for integers that are arguments of operations
_DIGITS = 20  # of the longest of these, including its sign
_SHOWN = 40  # most letters of a key in an error
_PLAIN = (str, int, float, bool, type(None))
_LARGE = f"structure: expected at most {MOST_BYTES:,} bytes of JSON, got more"
_ARRAYS = "keep numbers in arrays: what is computed with belongs there"
_ENCODE = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def encode(structure: Any) -> str:
    """Return the text of a structure: JSON with sorted keys and no spaces.

    Parameters
    ----------
    structure
        dict with keys of type str, list, str, int of at most 64 bits, finite float, bool or None, of exactly
        these types, nested at most 64 deep.

    Raises
    ------
    ContractError
        If it is anything else, or takes more than 1 MiB. The error names the part, what was expected and what
        was got.
    """
    _Check().value(structure, "structure", 0)
    text = _ENCODE(structure)
    if len(text.encode()) > MOST_BYTES:
        raise ContractError(_LARGE, help=_ARRAYS)
    return text


def decode(text: str) -> Any:
    """Read a structure from any author: a new copy each time.

    Raises
    ------
    ContractError
        If the text is not what :func:`encode` returns for its content.
    """
    if len(text) > MOST_BYTES:
        raise ContractError(_LARGE, help=_ARRAYS)
    try:
        structure = json.loads(text, parse_int=_integer, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        structure, same = None, False
    else:
        same = encode(structure) == text
    if not same:  # two equal keys, spaces, another order, -0, 1e5, ...
        message = "structure: expected JSON with sorted keys and no spaces, got another text"
        raise ContractError(message, help="return sb.Model(arrays, structure) from fit")
    return structure


def size_of(structure: Any) -> int:
    """Return the stored bytes of a structure: 0 if there is none."""
    return 0 if structure is None else len(encode(structure).encode())


class _Check:
    """A walk through a structure that may be anything, even a list that contains itself."""

    def __init__(self) -> None:
        self._bytes = 0  # bytes of its text, at least

    def value(self, value: Any, place: str, depth: int) -> None:
        kind = type(value)
        self._take(1)
        if kind is dict or kind is list:
            if depth == DEEPEST:
                message = f"structure: expected at most {DEEPEST} lists and dicts within one another"
                raise ContractError(message, help="number the nodes of a tree, and list their children")
            self._items(value, place, depth + 1)
        elif kind is str:
            self._text(value, place)
        elif kind is int:
            if not _LEAST <= value <= _MOST:
                raise ContractError(f"{place}: expected an integer of at most 64 bits", help=_ARRAYS)
        elif kind is float:
            if value - value != 0.0:
                raise ContractError(
                    f"{place}: expected a finite number, got {value}", help="write None for it"
                )
        elif kind not in _PLAIN:
            raise _of_another_kind(place, value)

    def _items(self, value: dict[Any, Any] | list[Any], place: str, depth: int) -> None:
        if isinstance(value, list):
            for number, item in enumerate(value):
                self.value(item, f"{place}[{number}]", depth)
            return
        for key, item in value.items():
            if type(key) is not str:
                got = type(key).__name__
                raise ContractError(f"{place}: expected keys of type str, got {got}", help="write str(key)")
            self._text(key, place)
            shown = key[:_SHOWN]
            self.value(item, f"{place}.{shown if shown.isprintable() else ascii(shown)}", depth)

    def _text(self, text: str, place: str) -> None:
        self._take(len(text))
        try:
            text.encode()
        except UnicodeEncodeError:
            message = f"{place}: expected text that UTF-8 can hold, got half of a surrogate pair"
            raise ContractError(message, help="keep bytes in an array of uint8") from None

    def _take(self, count: int) -> None:
        """Count bytes, and stop early: one list may be in a structure a million times."""
        self._bytes += count
        if self._bytes > MOST_BYTES:
            raise ContractError(_LARGE, help=_ARRAYS)


def _of_another_kind(place: str, value: Any) -> ContractError:
    kind = type(value)
    mend = "write int(...), float(...) or bool(...)" if hasattr(value, "dtype") else ""
    if kind is tuple or kind is set:
        mend = "write list(...)" if kind is tuple else "write sorted(...)"
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    if getattr(value, "shape", ()):
        mend = "put arrays among the arrays of the model"
    expected = "dict, list, str, int, float, bool or None"
    return ContractError(
        f"{place}: expected {expected}, got {name}", help=mend or "keep plain JSON there, and no objects"
    )


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:  # or the conversion to a number could take long
        raise ValueError
    return int(digits)


def _no_constant(name: str) -> float:
    raise ValueError(name)
