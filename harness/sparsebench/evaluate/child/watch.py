"""How much a submission's process and all that it has started take: memory, and files at the lower level.

Limits of single processes (:mod:`sparsebench.evaluate.child.walls`) say nothing of their sum. A warm parent
looks at the sum every now and then, and kills a child that takes more than it may.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.evaluate.child.walls import Plan

__all__ = ["Watch", "pid_of"]

_PAGE = os.sysconf("SC_PAGE_SIZE")
_FILES_EVERY = 0.5  # seconds between two looks at the files: that takes longer
_MOST_FILES = 100_000


def pid_of(pidfd: int) -> int:
    """Give the number of a process as ``/proc`` has it here, whatever its namespace is; 0 if it is gone."""
    text = Path(f"/proc/self/fdinfo/{pidfd}").read_text(encoding="ascii")
    found = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pid:"))
    return max(found, 0)


class Watch:
    """What one child may take in all.

    Parameters
    ----------
    pidfd
        The child's descriptor.
    plan
        Its walls: ``memory`` and ``files`` are held for the sum as well.
    """

    def __init__(self, pidfd: int, plan: Plan) -> None:
        self._pid = pid_of(pidfd)
        self._most = None if plan.memory is None else plan.memory + self._own()
        self._files = (
            plan.files if plan.level == "restricted" else None
        )  # at isolated the file system is sized
        self._work = plan.work
        self._next_files = 0.0

    def _own(self) -> int:
        return _anonymous(self._pid) if self._pid else 0

    def look(self) -> str | None:
        """Say what the child takes too much of, ``memory`` or ``files``; None if nothing."""
        if self._most is not None and self._pid and self._takes(self._most):
            return "memory"
        if self._files is not None and time.monotonic() > self._next_files:
            self._next_files = time.monotonic() + _FILES_EVERY
            if _size_of(self._work) > self._files:
                return "files"
        return None

    def _takes(self, most: int) -> bool:
        """Whether the tree takes more than ``most`` bytes; pages that are shared are counted once."""
        tree = list(_tree(self._pid))
        if sum(map(_anonymous, tree)) <= most:
            return False
        return sum(map(_proportional, tree)) > most


def _tree(pid: int) -> Iterator[int]:
    """Give a process and all that descend from it."""
    yield pid
    with contextlib.suppress(OSError):
        for task in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                for child in Path(task.path, "children").read_text(encoding="ascii").split():
                    yield from _tree(int(child))


def _anonymous(pid: int) -> int:
    """Give the resident bytes of a process that no file holds."""
    with contextlib.suppress(OSError):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
        return (int(resident) - int(shared)) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    """Give a process's share of the pages that it has in memory, files apart."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) << 10
    return _anonymous(pid)


def _size_of(folder: Path) -> int:
    """Add up the files of a folder; what is made there meanwhile is seen at the next look."""
    total, waiting, seen = 0, [str(folder)], 0
    while waiting and seen < _MOST_FILES:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                seen += 1
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
