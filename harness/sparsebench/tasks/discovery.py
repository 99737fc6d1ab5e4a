"""Where tasks lie, and finding one by name or by path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import ManifestError
from sparsebench.ground.naming import unknown_name

if TYPE_CHECKING:
    from sparsebench.tasks.records import Task

__all__ = ["list_tasks", "load_task", "tasks_root"]

_MANIFEST = "task.toml"


def tasks_root() -> Path:
    """Return the folder of the standard tasks: inside the installed package, else beside its sources."""
    package = Path(__file__).resolve().parents[1]
    packed = package / "_data" / "tasks"
    return packed if packed.is_dir() else package.parents[1] / "tasks"


def list_tasks() -> list[Task]:
    """Return every version of every standard task, sorted by name and version.

    Raises
    ------
    ManifestError
        If a ``task.toml`` does not validate.
    """
    tasks = [_standard(manifest) for manifest in tasks_root().glob(f"*/v*/{_MANIFEST}")]
    return sorted(tasks, key=lambda task: (task.name, task.version))


def load_task(ref: str | os.PathLike[str], *, draft: bool = False) -> Task:
    """Find a task.

    Parameters
    ----------
    ref
        ``"name@version"``, ``"name"`` for its newest version, or the path of a version folder.
    draft
        Of a path: let files be without hashes, because they are not made yet.

    Raises
    ------
    NotFoundError
        If there is no such task; says which there are.
    ManifestError
        If its ``task.toml`` does not validate.
    """
    path, text = Path(ref), os.fspath(ref)
    # A bare name is a name even where a folder of the working directory is called the same, but has no task.
    if not isinstance(ref, str) or "/" in text or os.sep in text or (path / _MANIFEST).is_file():
        return _read(path if path.name == _MANIFEST else path / _MANIFEST, draft=draft)
    tasks = list_tasks()
    found = [task for task in tasks if text in {task.name, task.ref}]
    if not found:
        raise unknown_name("task", text, [task.ref for task in tasks])
    return found[-1]


def _standard(manifest: Path) -> Task:
    """Read a standard task, whose folder must say the same name and version as its file."""
    task = _read(manifest)
    folder = f"{task.name}/v{task.version}"
    got = "/".join(manifest.parts[-3:-1])
    if folder != got:
        raise ManifestError(
            f"{manifest}: expected to lie in {folder} as its name and version say, got {got}",
            help="rename the folder, or mend task.name and task.version",
        )
    return task


def _read(manifest: Path, *, draft: bool = False) -> Task:
    from sparsebench.tasks.manifest import read_manifest  # noqa: PLC0415 - pydantic only where it is needed

    return read_manifest(manifest, draft=draft)
