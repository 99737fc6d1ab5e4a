"""The walls of a process, and its parent's preparations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LEVELS", "PROC", "Plan", "Prepared"]

LEVELS = ("none", "restricted", "isolated")
"""From the weakest: limits alone; Landlock, seccomp and a user of its own; namespaces as well."""

PROC = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "sys", "uptime", "version")
"""What Python's packages read of ``/proc``, beside the processes that are their own."""


@dataclass(frozen=True)
class Plan:
    """The walls of one process.

    Parameters
    ----------
    level
        One of :data:`LEVELS`.
    code
        The copy of the submission, read-only.
    work
        The one folder that may be written to. It exists, is empty, and belongs to the caller.
    hidden
        Folders that stay closed even if outer folders are open: tasks, and what is made from them.
    memory
        Bytes of address space beyond what the process has when the walls go up. None means no limit, as CUDA
        reserves more of it than any machine has memory.
    files
        Bytes of one file, and at ``isolated`` of all files together.
    processes
        Most processes and threads of the process's user.
    gpu
        Whether NVIDIA's devices are accessible.
    """

    level: str
    code: Path
    work: Path
    hidden: tuple[Path, ...]
    memory: int | None
    files: int = 1 << 30
    processes: int = 64
    gpu: bool = False


@dataclass
class Prepared:
    """A parent's preparations for its children: descriptors that take long to find, and the next child's."""

    level: str
    namespace: int | None = None  # descriptor of the parent's own PID namespace
    parent: int | None = None  # descriptor of the parent
    readable: dict[tuple[Path, ...], list[tuple[int, bool]]] = field(default_factory=dict)
    user: int | None = None  # of the next child
    forks: int = 0
