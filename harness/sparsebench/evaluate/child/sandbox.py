"""What holds a submission's process: no reading of files it has no business with, and limits.

Landlock (Linux 5.13 and later) is used straight through its three system calls. It needs no privileges and
cannot be undone. It holds files; from its version 4 on TCP, from 6 on signals to processes outside. It does
not hold UDP, new sessions, or how much a process and its children take together.
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
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["die_with_parent", "drop_powers", "landlock_version", "limit_memory", "protect"]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # one numbering on all architectures
_VERSION_QUESTION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 2, 4, 8, 1 << 14
_MAKE_DEVICES = (1 << 6) | (1 << 11)  # as root, a device made in one's own folder is a way to the whole disk
_FILES_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}  # 5 adds device ioctls: left alone
_TCP = 1 | 2  # bind and connect
_SCOPES = 1 | 2  # abstract sockets and signals
_TCP_SINCE, _SCOPES_SINCE = 4, 6
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_NO_NEW_PRIVILEGES, _DEATH_SIGNAL = 38, 1
_FILE_SIZE_LIMIT = 1 << 30
_CAPABILITY_HEADER, _DAC_OVERRIDE = 0x20080522, 1 << 1

_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/lib32", "/bin", "/opt", "/sys/devices/system"),
    *(
        f"/etc/{name}"
        for name in ("alternatives", "fonts", "group", "localtime", "nsswitch.conf", "passwd", "ssl/certs")
    ),
    *(
        f"/etc/{name}"
        for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "magic", "mime.types", "timezone")
    ),
    # Not all of /proc and /dev: other processes are there, and for root the machine's memory and disks.
    *(
        f"/proc/{name}"
        for name in ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "sys", "uptime", "version")
    ),
    *(f"/dev/{name}" for name in ("full", "random", "urandom", "zero")),
)
"""What Python's packages read of a system."""


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


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


def drop_powers() -> None:
    """Give up root's powers over the machine (Linux), but for files that others own: Landlock holds those."""
    if sys.platform != "linux":
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_HEADER, 0)
    keep = _DAC_OVERRIDE if os.geteuid() == 0 else 0
    sets = (ctypes.c_uint32 * 6)(
        keep, keep, 0, 0, 0, 0
    )  # effective, permitted, inheritable; low words, high words
    _libc().capset(header, sets)


def limit_memory(extra: int | None) -> None:
    """Limit this process's address space to what it has now and ``extra`` bytes; its files to 1 GiB each.

    None leaves the address space alone: CUDA reserves more of it than any machine has memory.
    """
    pages = (
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) if sys.platform == "linux" else 0
    )
    if pages and extra is not None:
        most = pages * resource.getpagesize() + extra
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_SIZE_LIMIT, _FILE_SIZE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def protect(submission: Path, scratch: Path, hidden: Sequence[Path] = (), *, gpu: bool = False) -> str:
    """Hold this process, for good, to reading Python, the system's libraries and its own folder.

    Parameters
    ----------
    submission
        The submission's folder: read only.
    scratch
        The one folder that may be written to.
    hidden
        Folders that stay closed even where something around them is open: the tasks, and what is made of
        them in the cache.
    gpu
        Whether NVIDIA's devices are open.

    Returns
    -------
    str
        ``files`` where it holds, ``none`` where this system cannot do it.
    """
    version = landlock_version()
    if not version:
        return "none"
    libc = _libc()
    files = _FILES_BY_VERSION[min(version, max(_FILES_BY_VERSION))]
    ruleset = _new_ruleset(libc, version, files)
    if ruleset < 0:
        return "none"
    for path in _readable(submission, hidden):
        _allow(libc, ruleset, path, _READ & files)
    _allow(libc, ruleset, scratch, files & ~_MAKE_DEVICES)
    _allow(libc, ruleset, Path("/dev/null"), (_READ_FILE | _WRITE_FILE | _TRUNCATE) & files)
    if gpu:
        _allow_cuda(libc, ruleset, files)
    # The kernel forgets /proc/self under memory pressure, and the rule with it, unless somebody holds it.
    os.open("/proc/self", os.O_PATH | os.O_CLOEXEC)
    held = libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return "files" if held else "none"


def _allow_cuda(libc: ctypes.CDLL, ruleset: int, files: int) -> None:
    """Allow the devices of NVIDIA's driver, and what its libraries do to files."""
    for path in sorted(Path("/dev").glob("nvidia*")):
        _allow(libc, ruleset, path, (_READ_FILE | _WRITE_FILE) & files)
    _allow(libc, ruleset, Path("/proc/driver/nvidia"), _READ & files)
    # They give their threads names, which are files, and do not start if they cannot.
    _allow(libc, ruleset, Path("/proc/self/task"), (_READ | _WRITE_FILE | _TRUNCATE) & files)


def _new_ruleset(libc: ctypes.CDLL, version: int, files: int) -> int:
    """Make a ruleset of all that this version can hold. Older versions know a shorter structure."""
    tcp = _TCP if version >= _TCP_SINCE else 0
    scopes = _SCOPES if version >= _SCOPES_SINCE else 0
    attributes = _RulesetAttributes(files, tcp, scopes)
    words = 3 if scopes else 2 if tcp else 1
    return int(
        libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), words * ctypes.sizeof(ctypes.c_uint64), 0)
    )


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> None:
    """Allow access beneath a path; a path that is not there needs no rule."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    rule = _PathBeneath(access if path.is_dir() else access & _ON_FILES, descriptor)
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(descriptor)


def _readable(submission: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    """Everything that Python and its packages are made of, but nothing of the tasks."""
    package = Path(__file__).resolve().parents[2]
    # Another installation in reach has its own copy of the data.
    copies = (Path(entry) / package.name / "_data" for entry in sys.path)
    holes = [hole.resolve() for hole in (package / "_data", package.parents[1] / "tasks", *copies, *hidden)]
    yield submission
    yield Path("/proc/self")
    python = (sys.prefix, sys.base_prefix, *site.getsitepackages(), *sys.path, str(package))
    for root in dict.fromkeys(Path(path).resolve() for path in (*_SYSTEM, *python)):
        yield from _without(root, holes)


def _without(root: Path, holes: Iterable[Path]) -> list[Path]:
    """Cover ``root`` but for ``holes``: rules only ever allow, so a hole is made of what is around it."""
    holes = list(holes)
    if any(root.is_relative_to(hole) for hole in holes):
        return []
    inside = [hole for hole in holes if hole.is_relative_to(root) and hole.exists()]
    if not inside:
        return [root]
    around: list[Path] = []
    for part in root.iterdir():
        around += [] if part.is_symlink() else _without(part, inside)
    return around
