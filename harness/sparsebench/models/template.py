"""The template that ``sparsebench new`` writes."""

from __future__ import annotations

from pathlib import Path

from sparsebench.ground.scaffold import write_folder

__all__ = ["write_template"]

_FILES = ("submission.toml", "submission.py", "README.md")
_KERNEL = "kernel.cu"


def write_template(folder: Path, *, kernel: bool = False) -> list[Path]:
    """Write a submission that runs as it is, named after its folder.

    Parameters
    ----------
    folder
        Must not exist.
    kernel
        Whether it has a CUDA kernel of its own.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UsageError
        If the folder exists or cannot be made, or a submission cannot have its name. Nothing is written then.
    """
    templates = Path(__file__).with_name("kernel_template_files" if kernel else "template_files")
    files = (*_FILES, _KERNEL) if kernel else _FILES
    write_folder(folder.name, folder.parent, templates, files, example="sparsebench new my-router")
    return [folder / file for file in (*files, ".gitattributes")]
