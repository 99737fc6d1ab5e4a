"""Checks that a task's files have their hashes, and that its generator still makes the same data."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import SparsebenchError
from sparsebench.tasks.cache import cached_path
from sparsebench.tasks.hashing import changed_columns
from sparsebench.tasks.making import run_script
from sparsebench.tasks.sources import missing_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sparsebench.tasks.records import InstanceSpec, TaskSpec

__all__ = ["FileCheck", "rederive", "regenerate", "verify_task"]


class FileCheck(NamedTuple):
    """The result of the check of one file."""

    instance: str
    """The instance that it belongs to."""
    file: str
    """Its name."""
    ok: bool
    """Whether nothing is wrong with it."""
    message: str
    """One line: rows and hash, or what is wrong and the mend, or why it was not checked."""


def verify_task(task: TaskSpec, directory: Path | None = None) -> list[FileCheck]:
    """Check the files of a task against the hashes in ``task.toml``.

    Parameters
    ----------
    task
        The task.
    directory
        Where its files lie; if None, its own folder and the cache.

    Returns
    -------
    list of FileCheck
        One for each file, faults included: nothing is raised for a file. A file that is made on first use,
        and is not made yet, is no fault.
    """
    return [_check(task, spec, file, directory) for spec in task.own.values() for file in spec.files]


def _check(task: TaskSpec, spec: InstanceSpec, file: str, directory: Path | None) -> FileCheck:
    from sparsebench.tasks.loading import check_file  # noqa: PLC0415 - pyarrow only where data are read

    path = (directory or task.folder) / file
    if spec.generated and not path.is_file():
        path = cached_path(task, spec, file)
        if not path.is_file():
            return FileCheck(spec.name, file, True, "not made yet; it is on first use")
    try:
        rows = check_file(path, spec, file)
    except SparsebenchError as error:
        return FileCheck(spec.name, file, False, f"{error.what}; {error.help}")
    return FileCheck(spec.name, file, True, f"{rows} rows, {spec.file_hash(file)}")


def rederive(task: TaskSpec, *, jobs: int = 1, instances: Sequence[str] = ()) -> Iterator[FileCheck]:
    """Make the data of a task again from their seeds, and compare the hashes; nothing is written.

    Parameters
    ----------
    task
        The task. Its generator is code: it runs with the rights of the caller.
    jobs
        The number of instances that are made at once.
    instances
        Only these; all if empty.

    Yields
    ------
    FileCheck
        One for each file, as soon as its instance is done. Real data whose packages are not installed, and
        sealed data, cannot be made: this is reported, and is no fault.
    """
    specs = [spec for spec in task.own.values() if not instances or spec.name in instances]
    with ThreadPoolExecutor(jobs) as pool:
        for checks in pool.map(lambda spec: _rederived(task, spec), specs):
            yield from checks


def _rederived(task: TaskSpec, spec: InstanceSpec) -> list[FileCheck]:
    if why := _cannot(spec):
        return [FileCheck(spec.name, file, True, f"not derived again: {why}") for file in spec.files]
    try:
        made = run_script(task, None, instances=[spec.name])
    except SparsebenchError as error:
        return [FileCheck(spec.name, file, False, f"{error.what}; {error.help}") for file in spec.files]
    return [_compared(spec, file, made.get((spec.name, file), {})) for file in spec.files]


def _cannot(spec: InstanceSpec) -> str:
    if spec.commitment:
        return "its seed is secret; give --seed-file"
    missing = missing_packages(spec.source.packages) if spec.source else []
    return f"it needs {', '.join(missing)}" if missing else ""


def _compared(spec: InstanceSpec, file: str, got: dict[str, str]) -> FileCheck:
    expected = spec.files[file]
    for column in changed_columns(expected, got):
        found = got.get(column, "no such column")
        what = f"column {column!r}: expected content {expected[column]}, got {found} from the generator"
        return FileCheck(spec.name, file, False, f"{what}; a changed hash is a new version")
    return FileCheck(spec.name, file, True, f"made again, {spec.file_hash(file)}")


def regenerate(
    task: TaskSpec,
    directory: Path,
    *,
    instances: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> list[Path]:
    """Run a task's ``generate.py``, putting its Parquet files into a folder.

    Parameters
    ----------
    task
        The task. Its generator is code: it runs with the rights of the caller.
    directory
        Where the files go; made if missing. The task's own folder is not changed unless it is given here.
    instances
        Only these. All if empty, except those that cannot be made here because a package is missing, and
        streamed ones, which take gigabytes.
    progress
        Called with a line on the progress.

    Returns
    -------
    list of Path
        The files that ``task.toml`` declares; all of them exist.

    Raises
    ------
    NotFoundError
        If the task has no ``generate.py``, or an instance does not exist.
    SparsebenchError
        If the generator failed, or did not write a file.
    """
    chosen = list(instances) or [
        name for name, spec in task.own.items() if not (spec.streamed or _cannot(spec))
    ]
    made = run_script(task, directory, instances=chosen, progress=progress)
    files = [file for name in chosen for file in task.own_spec(name).files]
    missing = [file for file in files if not (directory / file).is_file()]
    if missing:
        raise SparsebenchError(
            f"{task.folder / 'generate.py'}: expected it to make {len(files)} files, got {len(made)}: "
            f"no {', '.join(missing)}",
            help=f"run `python {task.folder / 'generate.py'} --output DIR` to see all it says",
        )
    return [directory / file for file in files]
