"""The template that ``sparsebench tasks new`` writes."""

from __future__ import annotations

from pathlib import Path

from sparsebench.ground.scaffold import write_folder

__all__ = ["new_task"]

_FILES = ("task.toml", "generate.py", "README.md")


def new_task(name: str, parent: Path) -> Path:
    """Write a small task that works as it is, once its hashes are frozen.

    Parameters
    ----------
    name
        The task's name, and its folder's.
    parent
        Where that folder is made; it is made as well if missing.

    Returns
    -------
    Path
        The version folder ``parent/name/v1``, with ``task.toml``, ``generate.py``, ``README.md`` and
        ``.gitattributes``.

    Raises
    ------
    UsageError
        If a task cannot have the name, or ``parent/name`` exists or cannot be made. Nothing is written then.
    """
    templates = Path(__file__).with_name("template_files")
    return write_folder(name, parent, templates, _FILES, example="sparsebench tasks new my-task", inside="v1")
