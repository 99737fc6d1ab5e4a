"""Writing files whole: all of one, or nothing. At every moment it is as it was, or as it is to be."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["beside", "replace_bytes", "replace_text", "replacing", "write_first", "write_new"]


@contextlib.contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Give a name beside a file; what was written there takes the file's place if nothing was raised.

    Parameters
    ----------
    path
        The file, whether it is there or not.
    mode
        What may be done with it in the end; what the process gives to files that it makes if None.

    Yields
    ------
    Path
        Where to write. No file is there, and none is left there.
    """
    temporary = beside(path)
    try:
        yield temporary
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_bytes(path: Path, content: bytes, *, mode: int = 0o666, durable: bool = True) -> None:
    """Write bytes in place of what a file holds.

    Parameters
    ----------
    path
        The file; made if missing.
    content
        What to write.
    mode
        What may be done with it, as far as the process lets files that it makes be used.
    durable
        Whether it is on the disk before it takes that place, so that a crash leaves no empty file.
    """
    with replacing(path) as temporary:
        write_new(temporary, content, mode=mode, durable=durable)


def replace_text(path: Path, text: str) -> None:
    """Write a text in UTF-8, with lines ended alike on all systems, in place of what a file holds.

    Parameters
    ----------
    path
        The file; made if missing. What may be done with it stays as it was.
    text
        What to write.
    """
    mode = path.stat().st_mode if path.exists() else 0o644
    with replacing(path, mode=mode) as temporary:  # nobody else's before it may be
        write_new(temporary, text.encode(), mode=0o600, durable=False)


def write_first(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file unless there is one: of several processes that do so, the first one's is there, whole.

    Parameters
    ----------
    path, content, mode
        As for `replace_bytes`.
    """
    temporary = beside(path)
    try:
        write_new(temporary, content, mode=mode, durable=False)
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_new(path: Path, content: bytes, *, mode: int = 0o666, durable: bool = True) -> None:
    """Write a file that is not there: `FileExistsError` where it is.

    Parameters
    ----------
    path, content, mode
        As for `replace_bytes`.
    durable
        Whether it is on the disk afterwards.
    """
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def beside(path: Path) -> Path:
    """Give a hidden name in a file's folder that nothing has: a place to write what is to be that file."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
