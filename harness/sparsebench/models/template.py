"""What ``sparsebench new`` writes."""

from __future__ import annotations

from pathlib import Path

from sparsebench.tasks.scaffold import write_folder

__all__ = ["write_template"]

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
    templates = Path(__file__).with_name("template_files")
    write_folder(folder.name, folder.parent, templates, _FILES, example="sparsebench new my-router")
    return [folder / file for file in _FILES]
