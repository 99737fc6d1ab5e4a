"""The placement of the two processes of a metered pass: on one core, because they take turns."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["on_one_core"]


@contextlib.contextmanager
def on_one_core(pid: int) -> Iterator[None]:
    """Keep this thread and a process that takes turns with it on the thread's present core.

    One of them always waits for the other. Waking it on another core takes longer than most requested
    operations: docs/performance.md has the times of both. If a system cannot do this, or does not allow it,
    they run where the system puts them.

    Parameters
    ----------
    pid
        The process; it stays on the core when this ends.
    """
    if not hasattr(os, "sched_setaffinity"):  # Linux has it
        yield
        return
    before = os.sched_getaffinity(0)
    with contextlib.suppress(OSError):
        core = {psutil.Process().cpu_num()}
        os.sched_setaffinity(pid, core)
        os.sched_setaffinity(0, core)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
