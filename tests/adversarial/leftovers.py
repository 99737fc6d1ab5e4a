"""What an attack could leave: processes, and changes of the process that runs it."""

from __future__ import annotations

import os
import resource
import time
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["nothing_runs", "own_state", "processes"]


def still_running(folder: Path) -> list[int]:
    """Processes that work in a folder: scratch folders are made there while a test runs."""
    found = []
    for process in psutil.process_iter():
        try:
            where = process.cwd()
        except (psutil.Error, OSError):  # gone meanwhile, not ours, or in a folder deeper than a path is long
            continue
        if where.startswith(str(folder)):
            found.append(process.pid)
    return found


def processes() -> set[int]:
    return {process.pid for process in psutil.process_iter()}


def nothing_runs(folder: Path, before: set[int]) -> bool:
    """Whether soon nothing runs there, nor anything below us that did not before.

    What is killed takes a moment to go; what stays for others (a parent of processes to come) is no attack's.
    """
    end = time.monotonic() + 5
    while (left := _left(folder, before)) and time.monotonic() < end:
        time.sleep(0.05)
    return not left


def _left(folder: Path, before: set[int]) -> list[int]:
    """Processes that are left: by their folder, or as orphans by what they run."""
    found = still_running(folder)
    for process in psutil.process_iter(["ppid", "cmdline", "create_time", "uids"]):
        about = process.info
        words = " ".join(about["cmdline"] or ())
        orphan = about["ppid"] == 1 and ("sparsebench" in words or words.startswith("sleep 120"))
        if orphan and process.pid not in before:
            found.append(process.pid)
    return found


def own_state() -> tuple[object, ...]:
    """What a submission could have set of this process."""
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    limits = {name: resource.getrlimit(getattr(resource, name)) for name in names}
    return limits, os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)
