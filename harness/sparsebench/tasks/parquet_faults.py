"""Faults of a Parquet file, as errors that name the file and the column."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from sparsebench.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["RESTORE", "damaged", "guarded"]

RESTORE = "restore the file from its release, or make it again with `sparsebench tasks generate`"
"""The mend for a file that is broken."""

_READABLE = "a readable Parquet file"
_LARGEST = 1 << 30  # bytes of a file that is searched for line ends


def damaged(path: Path, column: str | None, expected: str, got: str, mend: str = RESTORE) -> IntegrityError:
    """Build the error for a file that is not what it should be."""
    place = f"{path}: column {column!r}" if column else str(path)
    return IntegrityError(f"{place}: expected {expected}, got {got}", help=mend)


def guarded(path: Path, column: str | None, action: Callable[[], Any]) -> Any:
    """Run a function on a file, and turn any failure into an error of ours.

    Raises
    ------
    IntegrityError
        If it fails; the error says so if line ends are the reason.
    """
    try:
        return action()
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        if _has_other_line_ends(path):
            got = "one in which each LF has become CR LF"
            mend = "check it out as it is, with `*.parquet binary` in .gitattributes, or restore it"
            raise damaged(path, column, _READABLE, got, mend) from error
        lines = str(error).splitlines() or [type(error).__name__]
        raise damaged(path, column, _READABLE, lines[0]) from error


def _has_other_line_ends(path: Path) -> bool:
    """Return whether an unreadable file was taken for text: all its LF are CR LF, and with LF it opens."""
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else b""
        if not 0 < content.count(b"\n") == content.count(b"\r\n"):
            return False
        pq.ParquetFile(io.BytesIO(content.replace(b"\r\n", b"\n")))
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        return False
    return True
