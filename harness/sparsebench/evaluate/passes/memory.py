"""How much memory a model takes: the third side of a task's box."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

__all__ = ["FREE_FILES", "memory_columns", "size_of_files"]

FREE_FILES = 64 << 10
"""Bytes of files that are code. What a folder has beyond them may be a model, whatever it is called."""
_DIMENSION = 8  # bytes of a length in a shape: an array without elements may have any


def memory_columns(
    parameters: Mapping[str, np.ndarray[Any, Any]], constants: Mapping[str, tuple[int, int]], files: int
) -> dict[str, int]:
    """Make the columns of a row that say what a model stores.

    Parameters
    ----------
    parameters
        The model: name -> array.
    constants
        Content hash -> (elements, bytes) of every array that the submission made by itself in predict.
    files
        Bytes of the submission's files, see `size_of_files`.

    Returns
    -------
    dict
        ``stored_parameters``, ``stored_bytes``, and ``memory_bytes``: all that predict can know. That is
        the arrays; their names in UTF-8, kinds and shapes, which predict sees in the clear, so that they hold
        data as well; and what the files have beyond `FREE_FILES`.
    """
    stored = sum(p.nbytes for p in parameters.values()) + sum(size for _, size in constants.values())
    heads = sum(len(name.encode()) + 1 + _DIMENSION * p.ndim for name, p in parameters.items())
    return {
        "stored_parameters": sum(p.size for p in parameters.values()) + sum(n for n, _ in constants.values()),
        "stored_bytes": stored,
        "memory_bytes": stored + heads + max(0, files - FREE_FILES),
    }


def size_of_files(folder: Path) -> int:
    """Add up the bytes of all files in a folder, and of their paths in it: a name holds data as well."""
    return sum(
        len(os.fsencode(path.relative_to(folder))) + (path.lstat().st_size if path.is_file() else 0)
        for path in folder.rglob("*")
    )
