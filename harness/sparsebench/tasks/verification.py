"""Whether a task's files are what their hashes say, and making them again."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import NotFoundError, SparsebenchError

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.tasks.records import Task

__all__ = ["FileCheck", "regenerate", "verify_task"]


class FileCheck(NamedTuple):
    """What was found about one file."""

    instance: str
    """The instance that it belongs to."""
    file: str
    """Its name."""
    ok: bool
    """Whether it can be read and is what its hash says."""
    message: str
    """One line: rows and hash, or what is wrong and the mend."""


def verify_task(task: Task, directory: Path | None = None) -> list[FileCheck]:
    """Check every file of a task against ``task.toml``.

    Parameters
    ----------
    task
        The task.
    directory
        Where its files lie; its own folder if None. Give the folder of `regenerate` to see whether the
        generator still makes the same data.

    Returns
    -------
    list of FileCheck
        One for each file, faults included: nothing is raised for a file.
    """
    from sparsebench.tasks.loading import load_file  # noqa: PLC0415 - pyarrow only where data are read

    checks = []
    for spec in task.instances.values():
        for file, expected in spec.files.items():
            try:
                rows = len(load_file((directory or task.folder) / file, spec))
                checks.append(FileCheck(spec.name, file, True, f"{rows} rows, {expected}"))
            except SparsebenchError as error:
                checks.append(FileCheck(spec.name, file, False, f"{error.what}; {error.help}"))
    return checks


def regenerate(task: Task, directory: Path) -> list[Path]:
    """Run a task's ``generate.py``, putting its Parquet files into a folder.

    Parameters
    ----------
    task
        The task. Its generator is code: it runs with the rights of the caller.
    directory
        Where the files go; made if missing. The task's own folder is left alone unless it is given.

    Returns
    -------
    list of Path
        The files that ``task.toml`` declares, all of them there.

    Raises
    ------
    NotFoundError
        If the task has no ``generate.py``.
    SparsebenchError
        If the generator failed or left a file out.
    """
    script = task.folder / "generate.py"
    if not script.is_file():
        raise NotFoundError(
            f"{task.ref}: no {script}", help="only tasks with a generate.py can be made again"
        )
    command = [sys.executable, str(script.resolve()), "--output", str(directory.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the task's own script
    files = [directory / file for spec in task.instances.values() for file in spec.files]
    missing = [file.name for file in files if not file.is_file()]
    if done.returncode or missing:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        got = last if done.returncode else f"no {', '.join(missing)}"
        raise SparsebenchError(
            f"{script}: expected it to make {len(files)} files, got {got}",
            help=f"run `python {script} --output DIR` to see all it says",
        )
    return files
