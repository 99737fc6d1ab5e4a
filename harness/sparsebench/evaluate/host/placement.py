"""The placement of the two processes of a metered pass: on one core, because they take turns."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.synchronize import Lock

__all__ = ["on_one_core", "share_cores"]

_locks: dict[int, Lock] = {}
"""Core -> what a worker holds as long as a pass of its is on that core."""


def share_cores(locks: Sequence[Lock]) -> None:
    """Agree with the other workers of an evaluation, which have the same locks, to pass on different cores.

    Parameters
    ----------
    locks
        One for each core that they may use, in ascending order of the cores; none if only one pass runs.
    """
    _locks.clear()
    if hasattr(os, "sched_getaffinity"):
        _locks.update(zip(sorted(os.sched_getaffinity(0)), locks, strict=False))


@contextlib.contextmanager
def on_one_core(pid: int) -> Iterator[None]:
    """Keep this thread and a process that takes turns with it on one core.

    One of them always waits for the other. Waking it on another core takes longer than most requested
    operations: docs/performance.md has the times of both. It is the thread's present core, unless another
    worker's pass is on it: two passes on one core take twice as long, while another core has nothing to do.
    If a system cannot do this, or does not allow it, they run where the system puts them.

    Parameters
    ----------
    pid
        The process; it stays on the core when this ends.
    """
    if not hasattr(os, "sched_setaffinity"):  # Linux has it
        yield
        return
    before = os.sched_getaffinity(0)
    with _a_core() as core:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, {core})
            os.sched_setaffinity(0, {core})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _a_core() -> Iterator[int]:
    """Take the present core, or the first that no worker has; if all are taken, share the present one."""
    present: int = psutil.Process().cpu_num()
    for core in sorted(_locks, key=lambda core: core != present):
        if _locks[core].acquire(block=False):
            try:
                yield core
            finally:
                _locks[core].release()
            return
    yield present
