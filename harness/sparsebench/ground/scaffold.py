"""Starting a user's folder from templates: for ``sparsebench new`` and ``sparsebench tasks new``."""

from __future__ import annotations

import os
import re
import string
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import UsageError
from sparsebench.ground.line_ends import ATTRIBUTES
from sparsebench.ground.naming import NAME_PATTERN

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["write_folder"]

_LONGEST_NAME = 64


def write_folder(
    name: str, parent: Path, templates: Path, files: Sequence[str], *, example: str, inside: str = "."
) -> Path:
    """Make a folder from templates, with a ``.gitattributes``, whole or not at all.

    Parameters
    ----------
    name
        The folder's name, which replaces ``$name`` and, as words, ``$title``.
    parent
        Where the folder is made; it is made as well if missing.
    templates
        Where ``FILE.txt`` lies for each of the files.
    files
        Names of the files to write.
    example
        A valid command, for the error about a name.
    inside
        The folder in it for the files.

    Returns
    -------
    Path
        ``parent / name / inside``.

    Raises
    ------
    UsageError
        If the folder exists or cannot be made, or its name is not allowed. Nothing is written then.
    """
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > _LONGEST_NAME:
        message = f"expected a name of at most 64 lower-case letters, digits and hyphens, got {name!r}"
        raise UsageError(message, help=f"for example: {example}")
    folder = parent / name
    if os.path.lexists(folder):  # also if it is a broken link
        raise UsageError(f"{folder} exists already", help="choose another name, or remove it")
    try:
        _write(folder, templates, files, inside)
    except OSError as fault:
        message = f"cannot write {folder}: {fault.strerror}"
        raise UsageError(message, help="give a folder that can be made") from fault
    return folder / inside


def _write(folder: Path, templates: Path, files: Sequence[str], inside: str) -> None:
    name = folder.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    values = {"name": name, "title": name.replace("-", " ").capitalize()}
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as scratch:
        made = Path(scratch) / name
        (made / inside).mkdir(parents=True)
        for file in files:
            text = string.Template((templates / f"{file}.txt").read_text(encoding="utf-8")).substitute(values)
            (made / inside / file).write_text(text, encoding="utf-8", newline="\n")
        (made / inside / ".gitattributes").write_text(ATTRIBUTES, encoding="utf-8", newline="\n")
        os.replace(made, folder)  # noqa: PTH105 - refuses a folder that has come to be meanwhile
