"""What holds a submission's process: no reading of files it has no business with, and limits.

Landlock (Linux 5.13 and later) is used straight through its three system calls. It needs no privileges and
cannot be undone. Only files are held: a process can still open sockets and start processes.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import site
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["die_with_parent", "landlock_version", "limit_memory", "protect"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # one numbering on all architectures
_VERSION_QUESTION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_BY_VERSION = {
    1: (1 << 13) - 1,
    2: (1 << 14) - 1,
    3: (1 << 15) - 1,
}  # version 5 adds device ioctls: left alone
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | (1 << 14)
_NO_NEW_PRIVILEGES, _DEATH_SIGNAL = 38, 1
_FILE_SIZE_LIMIT = 1 << 30

_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc", "/opt", "/sys/devices/system", "/proc", "/dev")


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # what packing means; Python 3.13 and later want it said
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def landlock_version() -> int:
    """Give the version of Landlock that this kernel offers; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(int(_libc().syscall(_CREATE_RULESET, None, 0, _VERSION_QUESTION)), 0)


def die_with_parent() -> None:
    """Have this process killed when its parent goes, however it goes (Linux)."""
    if sys.platform == "linux":
        _libc().prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def limit_memory(extra: int) -> None:
    """Limit this process's address space to what it has now and ``extra`` bytes; its files to 1 GiB each."""
    pages = (
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) if sys.platform == "linux" else 0
    )
    if pages:
        most = pages * resource.getpagesize() + extra
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_SIZE_LIMIT, _FILE_SIZE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def protect(submission: Path, scratch: Path) -> str:
    """Hold this process, for good, to reading Python, the system's libraries and its own folder.

    Parameters
    ----------
    submission
        The submission's folder: read only.
    scratch
        The one folder that may be written to.

    Returns
    -------
    str
        ``files`` where it holds, ``none`` where this system cannot do it.
    """
    version = landlock_version()
    if not version:
        return "none"
    handled = _ALL_BY_VERSION[min(version, max(_ALL_BY_VERSION))]
    libc = _libc()
    attributes = _RulesetAttributes(handled)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    for path in _readable(submission):
        _allow(libc, ruleset, path, _READ & handled)
    for path in (scratch, Path("/dev/null"), Path("/dev/shm")):  # noqa: S108 - thread libraries put semaphores there
        _allow(libc, ruleset, path, handled)
    held = libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return "files" if held else "none"


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> None:
    """Allow access beneath a path; a path that is not there needs no rule."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rule = _PathBeneath(access if path.is_dir() else access & _ON_FILES, descriptor)
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(descriptor)


def _readable(submission: Path) -> Iterator[Path]:
    """Everything that Python and its packages are made of, but nothing of the tasks."""
    yield submission
    yield from map(Path, _SYSTEM)
    data = Path(__file__).resolve().parents[1] / "_data"
    for root in {Path(sys.prefix), Path(sys.base_prefix), *map(Path, site.getsitepackages())}:
        yield from _without(root.resolve(), data)
    yield from _without(data.parent, data)


def _without(root: Path, hole: Path) -> Iterable[Path]:
    """Cover ``root`` but for ``hole``: rules only ever allow, so a hole is made of what is around it."""
    if not hole.is_relative_to(root):
        return [root]
    around: list[Path] = []
    for part in (hole, *hole.parents):
        if part == root:
            break
        around += [sibling for sibling in part.parent.iterdir() if sibling != part]
    return around
