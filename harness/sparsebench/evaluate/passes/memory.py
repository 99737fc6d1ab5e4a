"""The memory of a model: the third side of a task's box."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sparsebench.meter.model_file import structure_of
from sparsebench.meter.structure import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

__all__ = ["FREE_FILES", "memory_columns", "size_of_files"]

FREE_FILES = 64 << 10
"""Bytes of files that are code. What a folder has beyond them may be a model, whatever it is called."""
_DIMENSION = 8  # bytes of a length in a shape: an empty array may have any lengths
_PARAMETER = 8  # bytes of a structure that count as one stored number


def memory_columns(
    parameters: Mapping[str, np.ndarray[Any, Any]], constants: Mapping[str, tuple[int, int]], files: int
) -> dict[str, int]:
    """Make the columns of a row on what a model stores.

    Parameters
    ----------
    parameters
        The model: name -> array, and its structure, if it has one.
    constants
        Content hash -> (elements, bytes) of every array that the submission made by itself in predict.
    files
        Bytes of the submission's files, see `size_of_files`.

    Returns
    -------
    dict
        ``stored_parameters``, ``stored_bytes``, and ``memory_bytes``: everything that predict can know. That
        is the arrays; their names in UTF-8, kinds and shapes, whose values predict sees, so that they hold
        data as well; and the bytes of files beyond `FREE_FILES`. The bytes of a structure are stored bytes,
        and 8 of them count as a stored parameter, since it may hold any numbers.
    """
    structure = size_of(structure_of(parameters))
    stored = sum(p.nbytes for p in parameters.values()) + sum(size for _, size in constants.values())
    elements = sum(p.size for p in parameters.values()) + sum(n for n, _ in constants.values())
    heads = sum(len(name.encode()) + 1 + _DIMENSION * p.ndim for name, p in parameters.items())
    return {
        "stored_parameters": elements + -(-structure // _PARAMETER),
        "stored_bytes": stored + structure,
        "memory_bytes": stored + structure + heads + max(0, files - FREE_FILES),
    }


def size_of_files(folder: Path) -> int:
    """Return the bytes of all files in a folder, and of their paths in it: a name holds data as well."""
    return sum(
        len(os.fsencode(path.relative_to(folder))) + (path.lstat().st_size if path.is_file() else 0)
        for path in folder.rglob("*")
    )
