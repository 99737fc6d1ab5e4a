"""Limits of a process's resources."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sparsebench.evaluate.child.walls.system import LINUX

with contextlib.suppress(ImportError):  # Windows has none, but a level is requested there, too
    import resource

__all__ = ["count_processes", "limit_everything", "limit_memory"]

_OPEN_FILES = 1024


def limit_memory(memory: int | None, files: int) -> None:
    """Limit this process's address space to what it has now and ``memory`` bytes, and the size of each file.

    None does not limit the address space: CUDA reserves more of it than any machine has memory.
    """
    if LINUX and memory is not None:
        pages = _pages()
        _at_most(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)
    _at_most(resource.RLIMIT_FSIZE, files)
    _at_most(resource.RLIMIT_CORE, 0)


def _pages() -> int:
    descriptor = os.open("/proc/self/statm", os.O_RDONLY)
    try:
        return int(os.read(descriptor, 100).split()[0])
    finally:
        os.close(descriptor)


def limit_everything(processes: int, *, gpu: bool) -> None:
    """Limit processes, open files, locked memory, message queues and priorities (Linux)."""
    _at_most(resource.RLIMIT_NPROC, processes)
    _at_most(resource.RLIMIT_NOFILE, _OPEN_FILES)
    if not gpu:  # its driver locks the memory that it copies from
        _at_most(resource.RLIMIT_MEMLOCK, 0)
    for name in ("MSGQUEUE", "NICE", "RTPRIO"):
        _at_most(getattr(resource, f"RLIMIT_{name}"), 0)


def _at_most(which: int, most: int) -> None:
    """Lower a limit for ever. A lower one stays."""
    hard = resource.getrlimit(which)[1]
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (least, least))


def count_processes() -> int:
    """Return the number of threads of this process's user: the kernel counts all of them for the limit."""
    user, threads = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                if entry.stat().st_uid == user:
                    # The number of links is that of its folders, plus two.
                    threads += Path(entry.path, "task").stat().st_nlink - 2
            except OSError:  # the process is gone
                continue
    return threads
