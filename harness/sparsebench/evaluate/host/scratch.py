"""The folders of a submission's process: a copy of its code to read, and one folder to write to."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import secrets
import shutil
import stat
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sparsebench.errors import FailedError
from sparsebench.ground.line_ends import with_lf
from sparsebench.models import folder_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["CodeCopy", "Scratch"]

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_CHANGED = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENOTEMPTY}
_PATIENCE = 20.0  # seconds: a process that outlived its parent may still be making files


class _Folder:
    """A temporary folder. A context manager: leaving it removes everything in it, whoever made it."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="sparsebench-")).resolve()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove the whole folder, whatever a submission has made there. May be called again."""
        _flatten_and_remove(self._root)


class CodeCopy(_Folder):
    """A copy of a submission's folder, with its included files next to its own.

    The code runs from a copy of exactly the files that the submission's hash covers. So nothing else runs: no
    hidden files, no stored byte code, no targets of links, nothing that changes meanwhile. Its text has LF,
    like the hashed text: one hash gives one copy, from any checkout.

    Parameters
    ----------
    submission
        The submission's folder.
    expected
        What :func:`sparsebench.models.folder_hash` must return for the copy.
    include
        The files that it includes.

    Attributes
    ----------
    code
        The copy.

    Raises
    ------
    FailedError
        If there is a symbolic link in the folder, or the copy does not have the expected hash.
    """

    def __init__(self, submission: Path, expected: str, include: Sequence[Path] = ()) -> None:
        super().__init__()
        self.code = self._root / "code"
        try:
            _copy(submission, self.code)
            for file in include:
                _copy_included(file, self.code / file.name)
            _check(self.code, expected, "folder, or a file that it includes," if include else "folder")
        except BaseException:
            self.remove()
            raise


class Scratch(_Folder):
    """A temporary folder for one process.

    Attributes
    ----------
    work
        An empty folder.
    """

    def __init__(self) -> None:
        super().__init__()
        self.work = self._root / "work"
        self.work.mkdir()


def _check(code: Path, expected: str, what: str) -> None:
    if folder_hash(code) != expected:
        raise _changed(what)


def _copy(source: Path, target: Path) -> None:
    target.mkdir()
    for entry in sorted(source.iterdir()):
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_symlink():
            raise FailedError(
                f"the submission's folder has a symbolic link: {entry.name}", help="put the file itself there"
            )
        if entry.is_dir():
            _copy(entry, target / entry.name)
        elif entry.is_file():
            _copy_file(entry, target / entry.name)


def _copy_included(file: Path, target: Path) -> None:
    if file.is_symlink() or not file.is_file() or target.exists():  # not so when it was hashed
        raise _changed(f"included file {file.name}")
    _copy_file(file, target)


def _copy_file(file: Path, target: Path) -> None:
    target.write_bytes(with_lf(file.read_bytes()))


def _changed(what: str) -> FailedError:
    return FailedError(f"the submission's {what} changed while it ran", help="evaluate it again")


def _flatten_and_remove(root: Path) -> None:
    """Remove a tree of any depth: a folder's content is first moved up, so that no path becomes long.

    Surviving processes may change the tree meanwhile. Everything is named relative to an open folder, and a
    link that has replaced a folder is removed, not followed.
    """
    if os.scandir not in os.supports_fd:  # Windows has no names relative to an open folder
        shutil.rmtree(root, ignore_errors=True)
        return
    names = (f"{secrets.token_hex(8)}-{count}" for count in itertools.count())
    end = time.monotonic() + _PATIENCE
    with contextlib.suppress(OSError, NotImplementedError):  # the rest is left to the system's own cleaning
        with _opened(str(root)) as top:
            while (entries := _entries(top)) and time.monotonic() < end:
                for entry in entries:
                    with _as_changed():
                        _remove(entry, top, names)
        root.rmdir()


def _remove(entry: os.DirEntry[str], top: int, names: Iterator[str]) -> None:
    """Remove an entry of the top folder, and move its content up."""
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.name, dir_fd=top)
        return
    with _opened(entry.name, top) as folder:
        for inner in _entries(folder):
            if inner.is_dir(follow_symlinks=False):
                with _opened(inner.name, folder):
                    pass  # moving a folder requires write access to it
            os.rename(inner.name, next(names), src_dir_fd=folder, dst_dir_fd=top)
    os.rmdir(entry.name, dir_fd=top)


@contextlib.contextmanager
def _opened(name: str, within: int | None = None) -> Iterator[int]:
    """Open a folder without following links, even a closed one, and give ourselves all rights to it."""
    try:
        opened = os.open(name, _FOLDER, dir_fd=within)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=within, follow_symlinks=False)
        opened = os.open(name, _FOLDER, dir_fd=within)
    try:
        os.fchmod(opened, stat.S_IRWXU)
        yield opened
    finally:
        os.close(opened)


def _entries(folder: int) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


@contextlib.contextmanager
def _as_changed() -> Iterator[None]:
    """Leave to the next round what was changed between two steps."""
    try:
        yield
    except OSError as error:
        if error.errno not in _CHANGED:
            raise
