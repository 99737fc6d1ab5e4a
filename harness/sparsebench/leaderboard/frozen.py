"""The file of a published board's instances and seeds, which then do not depend on rows."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.leaderboard.board import Board

__all__ = ["FILE_NAME", "Frozen", "frozen_text", "read_frozen", "text_of"]

FILE_NAME = "board.toml"
"""The name of its file, in the folder of the tables."""

_HEAD = """\
# Written by `sparsebench leaderboard freeze` or `board new`: the seeds and instances that every entry of this
# board is scored on, whatever rows there are. What is missing counts as failed.
"""
_MEND = "write it with `sparsebench leaderboard freeze`"


class Frozen(NamedTuple):
    """Instances and seeds of a board."""

    seeds: int
    """How many seeds: 0 ... seeds - 1."""
    instances: dict[str, tuple[str, ...]]
    """Task reference -> its instances."""


def frozen_text(board: Board) -> str:
    """Return the text of the file with which other rows make a board of the same instances and seeds."""
    return text_of(Frozen(board.seeds, {task.ref: task.instances for task in board.tasks if task.instances}))


def text_of(frozen: Frozen) -> str:
    """Return the text of the file with these instances and seeds."""
    lines = [f"{_HEAD}seeds = {frozen.seeds}", "", "[instances]"]
    lines += [f"{json.dumps(ref)} = {json.dumps(list(names))}" for ref, names in frozen.instances.items()]
    return "\n".join(lines) + "\n"


def read_frozen(path: Path) -> Frozen:
    """Read the instances and seeds of a board.

    Raises
    ------
    UsageError
        There is no such file, or it is not valid.
    """
    try:
        told = tomllib.loads(path.read_bytes().decode())
    except (OSError, ValueError) as fault:
        raise UsageError(f"cannot read {path}: {fault}", help=_MEND) from fault
    seeds, instances = told.get("seeds"), told.get("instances")
    if set(told) != {"seeds", "instances"} or type(seeds) is not int or seeds < 1:
        raise UsageError(
            f"{path}: expected seeds = 1 or more and [instances], got {sorted(told)}", help=_MEND
        )
    if not isinstance(instances, dict) or not all(map(_are_names, instances.values())) or not instances:
        raise UsageError(f"{path}: instances: expected a list of names for each task", help=_MEND)
    return Frozen(seeds, {task: tuple(names) for task, names in instances.items()})


def _are_names(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) for name in value)
