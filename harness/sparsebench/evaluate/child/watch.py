"""The memory of a submission's process and all that it has started, and its files at the lower level.

Limits of single processes (:mod:`sparsebench.evaluate.child.walls`) do not limit their sum. A warm parent
checks the sum at intervals, and kills a child that exceeds it.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.evaluate.child.walls import Plan

__all__ = ["Watch", "children_of", "is_elsewhere", "pid_of", "session_of"]

_PAGE = mmap.PAGESIZE
_FILES_EVERY = 0.5  # seconds between two checks of the files, which take longer
_MOST_FILES = 1 << 16  # as many as its own file system has at isolated
_TOO_MUCH = 1 << 62
_DEEPEST = 256  # nested folders: each is opened by its whole path
_AT_ONCE = 15  # most names in a path that is surely not too long
_COUNTED = ("Pss_Anon:", "Pss_Shmem:")  # its own pages, and its part of pages that it shares with others


def is_elsewhere() -> bool:
    """Return whether ``/proc`` shows another PID namespace than ours: then its numbers mean nothing here."""
    return Path("/proc/self").readlink().name != str(os.getpid())


def pid_of(pidfd: int) -> int:
    """Return the number of a process in ``/proc`` here, whatever its namespace; 0 if it is gone."""
    text = Path(f"/proc/self/fdinfo/{pidfd}").read_text(encoding="ascii")
    found = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pid:"))
    return max(found, 0)


class Watch:
    """The limits of one child and all that it has started.

    Parameters
    ----------
    pidfd
        The child's descriptor.
    plan
        Its walls: ``memory`` and ``files`` are held for the sum as well.
    """

    def __init__(self, pidfd: int, plan: Plan) -> None:
        self._pid = pid_of(pidfd)
        self._most = None if plan.memory is None else plan.memory + _anonymous(self._pid)
        self._files = (
            plan.files if plan.level == "restricted" else None
        )  # at isolated the file system has a limit
        self._work = plan.work
        self._next_files = 0.0

    def look(self) -> str | None:
        """Return what the child takes too much of, ``memory`` or ``files``; None if nothing."""
        if self._most is not None and self._pid and self._takes(self._most):
            return "memory"
        if self._files is not None and time.monotonic() > self._next_files:
            self._next_files = time.monotonic() + _FILES_EVERY
            if _size_of(self._work) + _size_without_names(self._all()) > self._files:
                return "files"
        return None

    def _takes(self, most: int) -> bool:
        """Return whether the tree takes more than ``most`` bytes; shared pages are counted once."""
        everything = self._all()
        if sum(map(_resident, everything)) <= most:
            return False
        return sum(map(_proportional, everything)) > most

    def _all(self) -> set[int]:
        """Return the child and all that it has started, orphans too.

        If it is not the first process of a PID namespace, its orphans become children of this process. They
        stay in the session that it leads: behind walls no process starts a session.
        """
        found = _tree(self._pid) if self._pid else set()
        for orphan in children_of("self"):
            if session_of(orphan) == self._pid:
                found.update(_tree(orphan))
        return found


def _tree(pid: int) -> set[int]:
    """Return a process and all its descendants, of any generation."""
    found, waiting = set(), [pid]
    while waiting:
        one = waiting.pop()
        if one not in found:  # a number that was reused meanwhile could lead in a circle
            found.add(one)
            waiting.extend(children_of(str(one)))
    return found


def children_of(pid: str) -> Iterator[int]:
    """Yield the children of a process, of ``self`` for one's own, as ``/proc`` has them here."""
    with contextlib.suppress(OSError):
        for task in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                yield from map(int, Path(task.path, "children").read_text(encoding="ascii").split())


def session_of(pid: int) -> int | None:
    """Return the number of a process's session, as ``/proc`` has it here."""
    with contextlib.suppress(OSError):
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(told.rpartition(")")[2].split()[3])  # its name, before, may hold anything
    return None


def _resident(pid: int) -> int:
    """Return all resident bytes of a process: cheap to read, and at least as many as are counted."""
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    return 0


def _anonymous(pid: int) -> int:
    """Return the resident bytes of a process that no file holds."""
    with contextlib.suppress(OSError):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
        return (int(resident) - int(shared)) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    """Return a process's share of the pages that it has in memory, files on a disk apart."""
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(_COUNTED))
    return _anonymous(pid)


def _size_without_names(processes: set[int]) -> int:
    """Return the bytes of files that processes hold open and that are in no folder any more."""
    found: dict[tuple[int, int], int] = {}
    for pid in processes:
        with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    about = os.stat(entry.path)  # noqa: PTH116 - a path that leads to what is open
                    if stat.S_ISREG(about.st_mode) and not about.st_nlink:
                        found[about.st_dev, about.st_ino] = about.st_blocks * 512
    return sum(found.values())


def _open_folder(parts: tuple[str, ...]) -> int:
    """Open a folder with a path of any length, unless its last part is a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    opened = os.open("/", flags)
    for first in range(0, len(parts), _AT_ONCE):
        with _closing(opened):
            opened = os.open(os.path.join(*parts[first : first + _AT_ONCE]), flags, dir_fd=opened)  # noqa: PTH118
    return opened


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _size_of(folder: Path) -> int:
    """Return the bytes of a folder's files; files that are made meanwhile count at the next check.

    Very many files are too much whatever is in them: each takes further space, and time to remove. A folder
    that is closed to us, although we are the same user, counts as too much as well.
    """
    total, waiting, seen = 0, [folder.parts], 0
    while waiting:
        parts = waiting.pop()
        if len(parts) > len(folder.parts) + _DEEPEST:
            return _TOO_MUCH
        try:
            opened = _open_folder(parts)
        except PermissionError:
            return _TOO_MUCH
        except OSError:  # it is gone
            continue
        with _closing(opened), os.scandir(opened) as entries:
            for entry in entries:
                seen += 1
                if seen > _MOST_FILES:
                    return _TOO_MUCH
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((*parts, entry.name))
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
