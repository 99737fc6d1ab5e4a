"""Writing whole files or nothing. At every moment a file has its old content, or its new one."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["beside", "replace_all", "replace_bytes", "replace_text", "replacing", "write_first", "write_new"]


@contextlib.contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Yield a path in a file's folder; what is written there replaces the file if nothing is raised.

    Parameters
    ----------
    path
        The file, whether it exists or not.
    mode
        Its final permissions; if None, those that the process gives to new files.

    Yields
    ------
    Path
        Where to write. No file exists there, and none is left there.
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
    """Replace the content of a file by bytes.

    Parameters
    ----------
    path
        The file; made if missing.
    content
        The new content.
    mode
        Its permissions, as far as the process's umask allows them.
    durable
        Whether it is on the disk before it replaces the old file, so that a crash leaves no empty file.
    """
    with replacing(path) as temporary:
        write_new(temporary, content, mode=mode, durable=durable)


def replace_text(path: Path, text: str) -> None:
    """Replace the content of a file by a text in UTF-8, with the same line ends on all systems.

    Parameters
    ----------
    path
        The file; made if missing. Its permissions stay.
    text
        The new content.
    """
    mode = path.stat().st_mode if path.exists() else 0o644
    with replacing(path, mode=mode) as temporary:  # closed to others until it may be open
        write_new(temporary, text.encode(), mode=0o600, durable=False)


def write_first(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write a file unless it exists; of several processes that do so, the first writes the whole file.

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
    """Write a file that must not exist; raise `FileExistsError` if it does.

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
    """Return an unused hidden path in a file's folder: a place to write the file's new content."""
    return path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")


def replace_all(contents: Mapping[Path, bytes]) -> None:
    """Replace the contents of several files, or of none.

    All are written beside their targets first; if a replacement fails, the files already replaced are
    restored.

    Parameters
    ----------
    contents
        File -> its new content.
    """
    staged = {target: beside(target) for target in contents}
    try:
        for target, content in contents.items():
            write_new(staged[target], content)
        _swap(staged)
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _swap(staged: Mapping[Path, Path]) -> None:
    before = {target: target.read_bytes() if target.exists() else None for target in staged}
    replaced: list[Path] = []
    try:
        for target, temporary in staged.items():
            temporary.replace(target)
            replaced.append(target)
    except OSError:
        for target in replaced:
            _restore(target, before[target])
        raise


def _restore(target: Path, content: bytes | None) -> None:
    if content is None:
        target.unlink()
    else:
        replace_bytes(target, content)
