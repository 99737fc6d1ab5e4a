"""What ``sparsebench tasks new`` writes."""

from __future__ import annotations

import os
import re
import string
import tempfile
from pathlib import Path

from sparsebench.errors import UsageError
from sparsebench.tasks.naming import NAME_PATTERN

__all__ = ["new_task"]

_LONGEST_NAME = 64
_FILES = ("task.toml", "generate.py", "README.md")


def new_task(name: str, parent: Path) -> Path:
    """Write a small task that works as it is, once its hashes are frozen.

    Parameters
    ----------
    name
        The task's name, and its folder's.
    parent
        Where that folder is made; made itself if missing.

    Returns
    -------
    Path
        The version folder ``parent/name/v1``, with ``task.toml``, ``generate.py`` and ``README.md``.

    Raises
    ------
    UsageError
        If the name is none for a task, or ``parent/name`` exists or cannot be made. Nothing is written then.
    """
    if not re.fullmatch(NAME_PATTERN, name) or len(name) > _LONGEST_NAME:
        message = f"expected a name of at most 64 lower-case letters, digits and hyphens, got {name!r}"
        raise UsageError(message, help="for example: sparsebench tasks new my-task")
    folder = parent / name
    if os.path.lexists(folder):  # also where it is a link to nowhere
        raise UsageError(f"{folder} exists already", help="choose another name, or remove it")
    try:
        _write(folder)
    except OSError as fault:
        message = f"cannot write {folder}: {fault.strerror}"
        raise UsageError(message, help="give a folder that can be made") from fault
    return folder / "v1"


def _write(folder: Path) -> None:
    """Make the folder whole or not at all."""
    name = folder.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    values = {"name": name, "title": name.replace("-", " ").capitalize()}
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as scratch:
        made = Path(scratch) / name
        (made / "v1").mkdir(parents=True)
        for file in _FILES:
            template = Path(__file__).with_name("template_files") / f"{file}.txt"
            text = string.Template(template.read_text(encoding="utf-8")).substitute(values)
            (made / "v1" / file).write_text(text, encoding="utf-8")
        os.replace(made, folder)  # noqa: PTH105 - refuses a folder that has come to be meanwhile
