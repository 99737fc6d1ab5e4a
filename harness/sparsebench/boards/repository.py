"""Laying out a board's repository: instances and seeds, and workflows that check, score and publish."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.errors import NotFoundError, UsageError
from sparsebench.ground.line_ends import ATTRIBUTES
from sparsebench.ground.naming import unknown_name
from sparsebench.leaderboard.frozen import FILE_NAME, Frozen, text_of
from sparsebench.results import harness_version
from sparsebench.tasks import list_tasks, load_task, newest_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sparsebench.tasks import Task

__all__ = ["FILES", "choose", "new_repository"]

FILES = {
    ".github/workflows/board.yml": "board.yml",
    ".github/workflows/comment.yml": "comment.yml",
    ".github/workflows/publish.yml": "publish.yml",
    ".gitignore": "gitignore",
    "README.md": "README.md",
    "requirements.txt": "requirements.txt",
    "results/README.md": "results.md",
    "submissions/README.md": "submissions.md",
}
"""File of a board's repository -> the template that it is made of."""

_TEMPLATES = Path(__file__).with_name("template_files")
# It goes into a shell command of a workflow, in double quotes, and that into YAML without quotes.
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,()_+-]{0,79}")


def choose(tasks: Sequence[str], instances: Sequence[str], seeds: int, *, small: bool = False) -> Frozen:
    """Return the instances and seeds of a board.

    Parameters
    ----------
    tasks
        Task references; empty for the newest version of every standard task.
    instances
        Names of instances of these; empty for those of the standard board.
    seeds
        How many seeds.
    small
        Only the small instances.

    Raises
    ------
    NotFoundError
        There is no such task or instance, or none is left.
    """
    found = [load_task(ref) for ref in tasks] or newest_tasks([task.ref for task in list_tasks()])
    known = {name for task in found for name in task.instances}
    for name in instances:
        if name not in known:
            raise unknown_name("instance", name, known)
    chosen = {task.ref: _instances(task, instances, small=small) for task in found}
    chosen = {ref: names for ref, names in chosen.items() if names}
    if not chosen:
        raise NotFoundError("no instance is left for the board", help="choose less narrowly")
    return Frozen(seeds, chosen)


def _instances(task: Task, names: Sequence[str], *, small: bool) -> tuple[str, ...]:
    wanted = names or (task.instances if small else task.board or task.instances)
    return tuple(
        sorted(
            name
            for name in wanted
            if name in task.instances
            and not task.instances[name].streamed
            and (task.instances[name].small or not small)
        )
    )


def new_repository(folder: Path, frozen: Frozen, *, title: str = "") -> list[Path]:
    """Write a board's repository: whole, or not at all.

    Parameters
    ----------
    folder
        Must not exist.
    frozen
        The instances and seeds of the board.
    title
        One line for people; empty for the folder's name.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UsageError
        The folder exists or cannot be made, or the title has other characters than a title may have.
    """
    title = title or folder.absolute().name.replace("-", " ").capitalize()
    if not _TITLE.fullmatch(title):
        message = f"--name: expected up to 80 letters, digits, spaces and . , ( ) _ + -, got {title!r}"
        raise UsageError(message, help='for example: --name "Routers of our group"')
    if os.path.lexists(folder):
        raise UsageError(f"{folder} exists already", help="choose another name, or remove it")
    texts = {name: _filled(template, title) for name, template in FILES.items()}
    texts |= {FILE_NAME: text_of(frozen), ".gitattributes": f"{ATTRIBUTES}public/** -text\n"}
    try:
        _write(folder, texts)
    except OSError as fault:
        message = f"cannot write {folder}: {fault.strerror or fault}"
        raise UsageError(message, help="give a folder that can be made") from fault
    return [folder / name for name in sorted(texts)]


def _filled(template: str, title: str) -> str:
    text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    return text.replace("@TITLE@", title).replace("@VERSION@", harness_version())


def _write(folder: Path, texts: dict[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        made = Path(scratch) / "board"
        for name, text in texts.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(text, encoding="utf-8", newline="\n")
        os.replace(made, folder)  # noqa: PTH105 - refuses a folder that has come to be meanwhile
