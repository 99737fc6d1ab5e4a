"""The folders of a submission's process: a copy of its code to read, and one place to write to."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Self

from sparsebench.errors import FailedError
from sparsebench.models import folder_hash

__all__ = ["CodeCopy", "Scratch"]

_PATIENCE = 20.0  # seconds: something that outlived its process may still be making files


class _Folder:
    """A temporary folder. A context manager: leaving it removes all that is in it, whoever made it."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="sparsebench-")).resolve()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove all of it, whatever a submission has made there. May be called again."""
        _flatten_and_remove(self._root)


class CodeCopy(_Folder):
    """A copy of a submission's folder.

    The code runs from a copy of exactly the files that the submission's hash covers. So nothing else runs: no
    hidden files, no byte code beside the source, nothing a link leads to, nothing that changes meanwhile.

    Parameters
    ----------
    submission
        The submission's folder.
    expected
        What :func:`sparsebench.models.folder_hash` must give for the copy.

    Attributes
    ----------
    code
        The copy.

    Raises
    ------
    FailedError
        If there is a symbolic link in the folder, or if it is not what ``expected`` says.
    """

    def __init__(self, submission: Path, expected: str) -> None:
        super().__init__()
        self.code = self._root / "code"
        try:
            _copy(submission, self.code)
            _check(self.code, expected)
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


def _check(code: Path, expected: str) -> None:
    if folder_hash(code) != expected:
        raise FailedError("the submission's folder changed while it ran", help="evaluate it again")


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
            shutil.copyfile(entry, target / entry.name)


def _flatten_and_remove(root: Path) -> None:
    """Remove a tree of any depth: what is in a folder is moved up before, so that no path grows long."""
    mark, fresh, end = secrets.token_hex(8), itertools.count(), time.monotonic() + _PATIENCE
    with contextlib.suppress(OSError):  # what cannot be removed is left to the system's own cleaning
        while (entries := list(root.iterdir())) and time.monotonic() < end:
            for entry in entries:
                if not _is_folder(entry):
                    entry.unlink()
                    continue
                entry.chmod(0o700)
                for inner in list(entry.iterdir()):
                    if _is_folder(inner):
                        inner.chmod(0o700)  # who moves a folder must be allowed to write to it
                    inner.rename(root / f"{mark}-{next(fresh)}")
                entry.rmdir()
        root.rmdir()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
