"""Writing the hashes of a task's data into its ``task.toml``: once, before anybody has used them."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import IntegrityError, SparsebenchError
from sparsebench.tasks.discovery import load_task
from sparsebench.tasks.making import run_script
from sparsebench.tasks.sources import missing_packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sparsebench.tasks.making import Made
    from sparsebench.tasks.records import Source, Task

__all__ = ["freeze_task"]

_INSTANCE = re.compile(r"^\s*\[\[\s*instances\s*\]\]\s*(#.*)?$")
_NAME = re.compile(r'^\s*name\s*=\s*"(?P<name>[^"]+)"')
_FILE = re.compile(r'^(?P<key>\s*"(?P<file>[A-Za-z0-9_-]+\.parquet)"\s*=\s*)\{.*\}\s*$')


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
        Change hashes that are there already: for a draft that nobody has used.
    progress
        Told in a line how far it is.

    Returns
    -------
    Task
        The task, with its hashes.

    Raises
    ------
    IntegrityError
        If a hash would change that is there already.
    SparsebenchError
        If the generator fails, or ``task.toml`` has no place for a file's hashes.
    """
    task = load_task(folder, draft=True)
    chosen = [
        spec
        for spec in task.instances.values()
        if (spec.name in instances if instances else not _lacks(spec.source))
    ]
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
    _replace(folder / "task.toml", text)
    return load_task(folder, draft=True)


def _lacks(source: Source | None) -> bool:
    return source is not None and bool(missing_packages(source.packages))


def _refuse_changes(task: Task, found: Made) -> None:
    for (instance, file), columns in found.items():
        before = task.instances[instance].files.get(file, {})
        for column, value in columns.items():
            if before and before.get(column) != value:
                raise IntegrityError(
                    f"{task.ref}/{instance}: {file}: column {column!r}: expected content "
                    f"{before.get(column)}, got {value}",
                    help="a changed hash is a new version; in a draft that nobody has used, give --overwrite",
                )


def _with_hashes(manifest: Path, found: Made) -> str:
    lines = manifest.read_text(encoding="utf-8").splitlines()
    text = "\n".join(_rewritten(lines, found)) + "\n"
    lacking = [file for _, file in found if f'"{file}"' not in text]
    if lacking:
        raise SparsebenchError(
            f"{manifest}: expected a line '\"{lacking[0]}\" = {{}}' in its [instances.files], got none",
            help="list each file that the generator makes, one a line",
        )
    return text


def _rewritten(lines: Sequence[str], found: Made) -> Iterator[str]:
    """Put hashes into the lines of files; leave everything else as people wrote it."""
    instance = ""
    for line in lines:
        if _INSTANCE.match(line):
            instance = ""
        elif not instance and (named := _NAME.match(line)):
            instance = named["name"]
        place = _FILE.match(line)
        if place and (columns := found.get((instance, place["file"]))):
            inner = ", ".join(f'{column} = "{value}"' for column, value in columns.items())
            yield f"{place['key']}{{ {inner} }}"
        else:
            yield line


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).chmod(path.stat().st_mode)
    Path(temporary).replace(path)
