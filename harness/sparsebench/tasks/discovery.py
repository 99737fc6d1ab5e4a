"""Finding a task by name or by path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.ground.naming import unknown_name
from sparsebench.tasks.standard import MANIFEST, read_spec, standard_specs
from sparsebench.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sparsebench.tasks.records import TaskSpec

__all__ = ["list_tasks", "load_task", "newest_task", "newest_tasks"]


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
    if _is_path(ref):
        return Task.of(read_spec(Path(ref), draft=draft))
    return Task.of(_named(os.fspath(ref), standard_specs()))


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
    return newest_tasks([ref])[0]


def newest_tasks(refs: Iterable[str]) -> list[Task]:
    """Find the newest versions of several tasks, each once, as `newest_task` does; files are read once."""
    standard, found = standard_specs(), {}
    for ref in refs:
        spec: TaskSpec = read_spec(Path(ref)) if _is_path(ref) else _named(ref, standard)
        later = [other for other in standard if spec.ref in other.versions]
        # A user's own task that has the name of a standard one stands for itself.
        newest = later[-1] if spec.folder in {other.folder for other in later} else spec
        found[newest.folder] = Task.of(newest)
    return list(found.values())


def _is_path(ref: str | os.PathLike[str]) -> bool:
    """Return whether a reference is a path: a bare name is a task's, even beside a folder of that name."""
    text = os.fspath(ref)
    return not isinstance(ref, str) or "/" in text or os.sep in text or (Path(ref) / MANIFEST).is_file()


def _named(ref: str, specs: Sequence[TaskSpec]) -> TaskSpec:
    found = [spec for spec in specs if ref in {spec.name, spec.ref}]
    if not found:
        raise unknown_name("task", ref, [spec.ref for spec in specs])
    return found[-1]
