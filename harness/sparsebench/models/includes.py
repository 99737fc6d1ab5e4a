"""The files that several submissions share: where they may lie, and under which names they are copied.

A submission names them by ``include`` in its ``submission.toml``. They are copied into the folder of its
entry, and are part of its hash, like its own files.
"""

from __future__ import annotations

import os
import re
import stat
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import ManifestError
from sparsebench.ground.line_ends import with_lf

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LARGEST", "check_spelling", "find_includes"]

LARGEST = 1 << 20
"""Bytes of a file that is included, at most: it is a module, not data."""

_SPELLING = re.compile(r"([^/\\:\x00-\x1f\x7f]+/)*[A-Za-z_][A-Za-z0-9_]*\.py")
_EXAMPLE = "../common/x.py"


def check_spelling(path: str) -> str:
    """Check the spelling of an included file's path, without looking for the file.

    Raises
    ------
    ValueError
        If it is absolute, or is not spelled as the path of a Python module is on every system.
    """
    if not _SPELLING.fullmatch(path):
        raise ValueError(f"expected the relative path of a Python module, with /, such as {_EXAMPLE}")
    return path


def find_includes(manifest: Path, include: Sequence[str]) -> tuple[Path, ...]:
    """Find the files that a submission includes.

    Parameters
    ----------
    manifest
        Its ``submission.toml``.
    include
        What it says, with the spelling checked, and no two of one name.

    Returns
    -------
    tuple of Path
        The files, without symbolic links on their way. Each is copied under its own name.

    Raises
    ------
    ManifestError
        If there is no such file, it is no regular file or too large, it lies outside of the folder that holds
        the submission's, or in a submission's folder, or what lies in this submission's folder has its name.
    """
    folder = Path(os.path.realpath(manifest.parent))
    for number, spelled in enumerate(include):
        if fault := _fault(folder / spelled, folder, manifest.name):
            expected, got, mend = fault
            message = f"{manifest}: include.{number}: expected {expected}, got {spelled!r}{got}"
            raise ManifestError(message, help=mend)
    return tuple(Path(os.path.realpath(folder / spelled)) for spelled in include)


def _fault(file: Path, folder: Path, manifest: str) -> tuple[str, str, str] | None:
    """Return what is wrong with a file: what was expected, what was got, the mend; None if nothing is."""
    root, real = folder.parent, Path(os.path.realpath(file))
    if not real.is_relative_to(root):
        expected = f"a file inside of {root}, which holds the submission's folder"
        return expected, f", which is {real}", f"put the file there, for example in {root / 'common'}"
    try:
        status = file.lstat()
    except OSError as error:
        return "a file", f": {error.strerror}", "write the file, or mend the path"
    if not stat.S_ISREG(status.st_mode):
        return "a regular file", f", {_kind(status.st_mode)}", "put the file itself there"
    if not os.access(file, os.R_OK):
        return "a file that can be read", "", "check its permissions"
    size = _size_with_lf(file, status.st_size)
    if size > LARGEST:
        mend = "include code alone; what a model has learnt is returned by fit"
        return f"at most {LARGEST:,} bytes", f" of {size:,} bytes", mend
    return _fault_of_place(real, folder, manifest)


def _size_with_lf(file: Path, size: int) -> int:
    """Return the size of a file with LF; with CR LF it has at most twice as many bytes."""
    return len(with_lf(file.read_bytes())) if LARGEST < size <= 2 * LARGEST else size


def _fault_of_place(real: Path, folder: Path, manifest: str) -> tuple[str, str, str] | None:
    """Return what is wrong with a file's place, or with the place to which it is copied."""
    within = real.relative_to(folder.parent)
    if any(part.startswith(".") or part == "__pycache__" for part in within.parts):
        return "a file in no hidden folder", f", which is {real}", "put the file into another folder"
    owners = (up for up in real.parents if up.is_relative_to(folder.parent) and (up / manifest).is_file())
    if owner := next(owners, None):
        mend = "put what is shared into a folder of no submission; a submission's own files are there anyway"
        return "a file of no submission", f", of the submission in {owner}", mend
    taken = sorted(entry.name for entry in folder.iterdir() if _module(entry) == real.stem.casefold())
    if taken:
        return "a name that nothing beside submission.toml has", f" beside {taken[0]}", "rename one of them"
    return None


def _kind(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder"}
    return kinds.get(stat.S_IFMT(mode), "a file of another kind")


def _module(entry: Path) -> str | None:
    """Return the module name of a file or a folder, for a system that does not distinguish case."""
    if entry.is_dir():
        return entry.name.casefold()
    suffixes = (suffix for suffix in all_suffixes() if entry.name.endswith(suffix))  # longer ones come first
    suffix = next(suffixes, None)
    return None if suffix is None else entry.name.removesuffix(suffix).casefold()
