"""What ``sparsebench new`` writes."""

from __future__ import annotations

import os
import re
import string
import tempfile
from pathlib import Path

from sparsebench.errors import UsageError

__all__ = ["write_template"]

_LONGEST_NAME = 64
_FILES = ("submission.toml", "submission.py", "README.md")


def write_template(folder: Path) -> list[Path]:
    """Write a submission that runs as it is, named after its folder.

    Parameters
    ----------
    folder
        Must not exist.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UsageError
        If the folder exists or cannot be made, or its name is no name for a submission. Nothing is written
        then.
    """
    name = folder.name
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > _LONGEST_NAME:
        message = f"expected a name of at most 64 lower-case letters, digits and hyphens, got {name!r}"
        raise UsageError(message, help="for example: sparsebench new my-router")
    if os.path.lexists(folder):  # also where it is a link to nowhere
        raise UsageError(f"{folder} exists already", help="choose another name, or remove it")
    try:
        _write(folder)
    except OSError as fault:
        message = f"cannot write {folder}: {fault.strerror}"
        raise UsageError(message, help="give a folder that can be made") from fault
    return [folder / file for file in _FILES]


def _write(folder: Path) -> None:
    """Make the folder whole or not at all."""
    name = folder.name
    folder.parent.mkdir(parents=True, exist_ok=True)
    values = {"name": name, "title": name.replace("-", " ").capitalize()}
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as scratch:
        made = Path(scratch) / name
        made.mkdir()
        for file in _FILES:
            template = Path(__file__).with_name("template_files") / f"{file}.txt"
            text = string.Template(template.read_text(encoding="utf-8")).substitute(values)
            (made / file).write_text(text, encoding="utf-8")
        os.replace(made, folder)  # noqa: PTH105 - refuses a folder that has come to be meanwhile
