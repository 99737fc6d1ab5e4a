"""The file of a model: safetensors, with its structure in the metadata. It cannot contain code."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import safetensors.numpy

from sparsebench.errors import ContractError
from sparsebench.meter.model import Model
from sparsebench.meter.structure import decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

__all__ = ["hash_of_model", "load_model", "save_model", "structure_of"]

_STRUCTURE = "structure"
_LENGTH = 8  # bytes at the beginning that give the header's length
_MOST_HEADER = 16 << 20  # bytes of a header: names and shapes of 4,096 arrays, and a structure


def structure_of(parameters: Mapping[str, Any]) -> Any:
    """Return the structure of a model: None if it is a plain dict of arrays."""
    return parameters.structure if isinstance(parameters, Model) else None


def save_model(parameters: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Return the file of a model: the same bytes for the same arrays and structure.

    Parameters
    ----------
    parameters
        A :class:`~sparsebench.meter.model.Model`, or a dict of arrays, which has no structure.

    Raises
    ------
    ContractError
        If the structure is not valid, see :func:`sparsebench.meter.structure.encode`.
    """
    structure = structure_of(parameters)
    about = None if structure is None else {_STRUCTURE: encode(structure)}
    return safetensors.numpy.save(dict(parameters), metadata=about)


def load_model(content: bytes) -> Model:
    """Read the file of a model from any author.

    Raises
    ------
    ContractError
        If its structure is not what :func:`save_model` writes.
    SafetensorError, ValueError, KeyError
        If it is not a file of arrays.
    """
    arrays = safetensors.numpy.load(content)  # this has checked the header
    return Model(arrays, _structure(content))


def _structure(content: bytes) -> Any:
    length = int.from_bytes(content[:_LENGTH], "little")
    if length > _MOST_HEADER:
        raise ContractError(f"expected at most {_MOST_HEADER:,} bytes of names and shapes, got {length:,}")
    header = json.loads(content[_LENGTH : _LENGTH + length])
    about = header.get("__metadata__") or {}
    if not about:
        return None
    if set(about) != {_STRUCTURE}:
        raise ContractError(f"expected {_STRUCTURE!r} as the only metadata, got others")
    return decode(about[_STRUCTURE])


def hash_of_model(parameters: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """Return the hash of a model: the SHA-256 of its file, in hexadecimal."""
    return hashlib.sha256(save_model(parameters)).hexdigest()
