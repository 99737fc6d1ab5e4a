"""Writing whole files or nothing. At every moment a file has its old content, or its new one."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "beside",
    "replace_all",
    "replace_bytes",
    "replace_text",
    "replacing",
    "write_first",
    "write_new",
]


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


def replace_all(contents: Mapping[Path, bytes], *, gone: Collection[Path] = ()) -> None:
    """Replace the contents of several files, and remove others: all of it or nothing.

    All contents are stored beside their targets before the first file changes. If a change fails or somebody
    interrupts it, those made are undone, and folders that were made are removed.

    Parameters
    ----------
    contents
        File -> its new content, in the order in which they are replaced. Folders are made where missing.
    gone
        Files to remove, before any is replaced. A missing one is no error.

    Raises
    ------
    OSError
        A file cannot be written, replaced or removed; all is as it was.
    """
    staged = {target: beside(target) for target in contents}
    made: list[Path] = []
    try:
        for target, content in contents.items():
            made += _make_folder(target.parent)
            write_new(staged[target], content)
        _swap(staged, gone)
    except BaseException:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)


def _make_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the ones made, the outermost first."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
    return missing[::-1]


def _swap(staged: Mapping[Path, Path], gone: Collection[Path]) -> None:
    before = {target: target.read_bytes() if target.exists() else None for target in (*gone, *staged)}
    changed: list[Path] = []
    try:
        for target in gone:
            changed.append(target)  # before it changes: an interrupt may come in between
            target.unlink(missing_ok=True)
        for target, temporary in staged.items():
            changed.append(target)
            temporary.replace(target)
    except BaseException:
        for target in changed:
            _restore(target, before[target])
        raise


def _restore(target: Path, content: bytes | None) -> None:
    if content is None:
        target.unlink(missing_ok=True)
    elif not target.exists() or target.read_bytes() != content:  # what fails to change may not be written to
        replace_bytes(target, content)
