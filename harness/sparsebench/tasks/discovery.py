"""Finding a task by name or by path."""

from __future__ import annotations

import os
from pathlib import Path

from sparsebench.ground.naming import unknown_name
from sparsebench.tasks.standard import MANIFEST, read_spec, standard_specs
from sparsebench.tasks.task import Task

__all__ = ["list_tasks", "load_task", "newest_task"]


def list_tasks() -> list[Task]:
    """Return every version of every standard task, sorted by name and version.

    Raises
    ------
    ManifestError
        If a ``task.toml`` does not validate.
    """
    return [Task.of(spec) for spec in standard_specs()]


def load_task(ref: str | os.PathLike[str], *, draft: bool = False) -> Task:
    """Find a task.

    Parameters
    ----------
    ref
        ``"name@version"``, ``"name"`` for its newest version, or the path of a version folder.
    draft
        For a path: allow files without hashes, because they are not made yet.

    Raises
    ------
    NotFoundError
        If there is no such task; the error lists those that exist.
    ManifestError
        If its ``task.toml`` does not validate.
    """
    path, text = Path(ref), os.fspath(ref)
    # A bare name is a task's name, even if a folder without a task in the working directory has the same
    # name.
    if not isinstance(ref, str) or "/" in text or os.sep in text or (path / MANIFEST).is_file():
        return Task.of(read_spec(path, draft=draft))
    specs = standard_specs()
    found = [spec for spec in specs if text in {spec.name, spec.ref}]
    if not found:
        raise unknown_name("task", text, [spec.ref for spec in specs])
    return Task.of(found[-1])


def newest_task(ref: str) -> Task:
    """Find the newest version of a standard task that continues a version; or else that version itself.

    Parameters
    ----------
    ref
        As for `load_task`. A path stands for itself.

    Raises
    ------
    NotFoundError, ManifestError
        As `load_task`.
    """
    task = load_task(ref)
    later = [spec for spec in standard_specs() if task.ref in spec.versions]
    # A user's own task that has the name of a standard one stands for itself.
    return Task.of(later[-1]) if task.folder in {spec.folder for spec in later} else task
