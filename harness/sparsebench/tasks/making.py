"""Running a task's ``generate.py`` in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING

from sparsebench.errors import NotFoundError, SparsebenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sparsebench.tasks.records import TaskSpec

__all__ = ["PROGRESS", "Made", "run_script"]

PROGRESS = "progress: "
"""The beginning of a line of a generator's standard error that reports progress."""

Made = dict[tuple[str, str], dict[str, str]]
"""Instance and file → column → hash."""


def run_script(
    task: TaskSpec,
    output: Path | None,
    *,
    instances: Sequence[str] = (),
    seed_file: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Made:
    """Run a task's ``generate.py``.

    Parameters
    ----------
    task
        The task. Its generator is code: it runs with the rights of the caller.
    output
        Where the files go, made if missing; None to hash the data and write nothing.
    instances
        Only these; all if empty.
    seed_file
        A file whose content is the seed, instead of the seeds in ``task.toml``.
    progress
        Called with a line on the progress.

    Returns
    -------
    dict
        The hashes of the data.

    Raises
    ------
    NotFoundError
        If the task has no ``generate.py``.
    SparsebenchError
        If the generator fails.
    """
    script = task.folder / "generate.py"
    if not script.is_file():
        raise NotFoundError(
            f"{task.ref}: no {script}", help="only tasks with a generate.py can be made again"
        )
    where = ["--hashes"] if output is None else ["--output", str(output.resolve())]
    chosen = ["--instances", ",".join(instances)] if instances else []
    seed = [] if seed_file is None else ["--seed-file", str(seed_file.resolve())]
    command = [sys.executable, "-B", str(script.resolve()), *where, *chosen, *seed]
    # Its lines go to a file: with two pipes that are read in turn, one could fill up and block for ever.
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as told,
        subprocess.Popen(  # noqa: S603 - the task's own script
            command, stdout=told, stderr=subprocess.PIPE, text=True, errors="replace"
        ) as process,
    ):
        assert process.stderr is not None
        last = _follow(process.stderr, progress)
        code = process.wait()
        told.seek(0)
        lines = told.read().splitlines()
    if code:
        raise SparsebenchError(
            f"{script}: expected it to make its files, got {last or f'exit status {code}'}",
            help=f"run `python {script} --output DIR` to see all it says",
        )
    return _made(script, lines)


def _follow(lines: IO[str], progress: Callable[[str], None] | None) -> str:
    """Pass on the lines on progress; return the last of the other lines."""
    last = ""
    for line in lines:
        text = line.strip()
        if not text.startswith(PROGRESS):
            last = text or last
        elif progress is not None:
            progress(text.removeprefix(PROGRESS))
    return last


def _made(script: Path, lines: Sequence[str]) -> Made:
    try:
        told = [json.loads(line) for line in lines]
        return {(entry["instance"], entry["file"]): dict(entry["columns"]) for entry in told}
    except (ValueError, KeyError, TypeError) as error:
        raise SparsebenchError(
            f"{script}: expected a line of JSON for each file, got {lines[0] if lines else 'nothing'}",
            help="end it with run_generator of sparsebench.tasks.generation, and print nothing else",
        ) from error
