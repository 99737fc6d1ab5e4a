"""Data that are not in a task's folder: made on first use, and kept in the user's cache.

The name of a file in the cache contains its hash, so that two versions never collide. The file is made in the
same folder under a temporary name and then renamed, so readers find the whole file or none. A lock keeps two
processes from doing the work twice.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import IntegrityError, UsageError
from sparsebench.ground.places import CACHE_VARIABLE, cache_root
from sparsebench.tasks.hashing import changed_columns
from sparsebench.tasks.making import run_script

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.tasks.records import InstanceSpec, TaskSpec

__all__ = ["CACHE_VARIABLE", "cache_root", "cached_path", "discard", "locate"]


def cached_path(task: TaskSpec, spec: InstanceSpec, file: str) -> Path:
    """Return the path of an instance's file in the cache, whether it exists or not."""
    digest = spec.file_hash(file).removeprefix("sha256:")
    return cache_root() / task.ref / f"{Path(file).stem}-{digest[:16]}.parquet"


def locate(
    task: TaskSpec, spec: InstanceSpec, file: str, *, progress: Callable[[str], None] | None = None
) -> Path:
    """Return the path of an instance's file; make the file first if it is made on first use.

    Parameters
    ----------
    task, spec, file
        Which file.
    progress
        Called with a line on the progress.

    Raises
    ------
    IntegrityError
        If the data that were made do not have their hashes.
    UsageError
        If the cache cannot be written to.
    SparsebenchError
        If the generator fails.
    """
    if not spec.generated or (task.folder / file).is_file():
        return task.folder / file
    place = cached_path(task, spec, file)
    if not place.is_file():
        _fill(task, spec, progress or _silent)
    return place


def discard(task: TaskSpec, spec: InstanceSpec, file: str) -> bool:
    """Remove a file from the cache, so that it is made again; return whether it was there.

    A file in the task's own folder is not removed.
    """
    if not spec.generated or (task.folder / file).is_file():
        return False
    place = cached_path(task, spec, file)
    there = place.is_file()
    place.unlink(missing_ok=True)
    return there


def _silent(_: str) -> None:
    """Report nothing."""


def _fill(task: TaskSpec, spec: InstanceSpec, progress: Callable[[str], None]) -> None:
    import filelock  # noqa: PLC0415 - only where something is made

    folder = cache_root() / task.ref
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f".{spec.name}.lock"):
            if not all(cached_path(task, spec, file).is_file() for file in spec.files):
                _make(task, spec, folder, progress)
    except OSError as error:
        raise UsageError(
            f"{folder}: the data of {task.ref}/{spec.name} cannot be kept there: {error.strerror or error}",
            help=f"make room, or name another folder in the environment variable {CACHE_VARIABLE}",
        ) from error


def _make(task: TaskSpec, spec: InstanceSpec, folder: Path, progress: Callable[[str], None]) -> None:
    progress(f"making {task.ref}/{spec.name}, which is kept in {folder}")
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{spec.name}.") as made:
        found = run_script(task, Path(made), instances=[spec.name], progress=progress)
        for file, expected in spec.files.items():
            got = found.get((spec.name, file), {}) if (Path(made) / file).is_file() else {}
            for column in changed_columns(expected, got):
                raise IntegrityError(
                    f"{task.ref}/{spec.name}: {file}: column {column!r}: expected content "
                    f"{expected[column]}, got {got.get(column)} from {task.folder / 'generate.py'}",
                    help="update NumPy, or report it with the version of NumPy and the processor",
                )
        for file in spec.files:
            (Path(made) / file).replace(cached_path(task, spec, file))
