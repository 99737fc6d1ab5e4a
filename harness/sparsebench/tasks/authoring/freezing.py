"""Writing the hashes of a task's data into its ``task.toml``: once, before anybody has used the data."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import IntegrityError, SparsebenchError
from sparsebench.ground.replacing import replace_text
from sparsebench.tasks.discovery import load_task
from sparsebench.tasks.making import run_script
from sparsebench.tasks.sources import missing_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sparsebench.tasks.making import Made
    from sparsebench.tasks.records import Source
    from sparsebench.tasks.task import Task

__all__ = ["freeze_task"]

_INSTANCE = re.compile(r"^\s*\[\[\s*instances\s*\]\]\s*(#.*)?$")
_NAME = re.compile(r'^\s*name\s*=\s*"(?P<name>[^"]+)"')
_FILE = re.compile(r'^(?P<key>\s*"(?P<file>[A-Za-z0-9_-]+\.parquet)"\s*=\s*)\{.*\}(?P<remark>\s*(#.*)?)$')


def freeze_task(
    folder: Path,
    *,
    instances: Sequence[str] = (),
    overwrite: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Task:
    """Make a task's data, and write their hashes into its ``task.toml``.

    Files of instances with ``generated = true`` are hashed and not kept.

    Parameters
    ----------
    folder
        The version folder, whose ``task.toml`` lists files as ``"NAME.parquet" = {}``.
    instances
        Only these; all that can be made here if empty.
    overwrite
        Change existing hashes: for a draft that nobody has used.
    progress
        Called with a line on the progress.

    Returns
    -------
    Task
        The task, with its hashes.

    Raises
    ------
    IntegrityError
        If an existing hash would change.
    SparsebenchError
        If the generator fails, or ``task.toml`` has no place for a file's hashes.
    """
    task = load_task(folder, draft=True)
    named = [task.own_spec(name) for name in instances]
    chosen = named or [spec for spec in task.own.values() if not _lacks(spec.source)]
    kept = [spec.name for spec in chosen if not spec.generated]
    hashed = [spec.name for spec in chosen if spec.generated]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".freeze-") as made:
        found: Made = {}
        if kept:
            found |= run_script(task, Path(made), instances=kept, progress=progress)
        if hashed:
            found |= run_script(task, None, instances=hashed, progress=progress)
        if not overwrite:
            _refuse_changes(task, found)
        text = _with_hashes(folder / "task.toml", found)
        for path in sorted(Path(made).glob("*.parquet")):
            path.replace(folder / path.name)
    replace_text(folder / "task.toml", text)
    return load_task(folder, draft=True)


def _lacks(source: Source | None) -> bool:
    return source is not None and bool(missing_packages(source.packages))


def _refuse_changes(task: Task, found: Made) -> None:
    for (instance, file), columns in found.items():
        spec = task.own.get(instance)
        before = {} if spec is None else spec.files.get(file, {})
        for column, value in columns.items():
            if before and before.get(column) != value:
                raise IntegrityError(
                    f"{task.ref}/{instance}: {file}: column {column!r}: expected content "
                    f"{before.get(column)}, got {value}",
                    help="a changed hash is a new version; in a draft that nobody has used, give --overwrite",
                )


def _with_hashes(manifest: Path, found: Made) -> str:
    """Put hashes into the lines of files, and leave everything else as people wrote it."""
    lines, instance, placed = [], "", set()
    for line in manifest.read_text(encoding="utf-8").splitlines():
        if _INSTANCE.match(line):
            instance = ""
        elif not instance and (named := _NAME.match(line)):
            instance = named["name"]
        place = _FILE.match(line)
        key = (instance, place["file"]) if place else None
        lines.append(_filled(place, found[key]) if place and key in found else line)
        placed.add(key)
    if lacking := [file for instance, file in found if (instance, file) not in placed]:
        raise SparsebenchError(
            f"{manifest}: expected a line '\"{lacking[0]}\" = {{}}' in its [instances.files], got none",
            help="list each file that the generator makes, one a line, in double quotes",
        )
    return "\n".join(lines) + "\n"


def _filled(place: re.Match[str], columns: dict[str, str]) -> str:
    inner = ", ".join(f'{column} = "{value}"' for column, value in columns.items())
    return f"{place['key']}{{ {inner} }}{place['remark']}"
