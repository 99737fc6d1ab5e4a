"""The wall for files: Landlock (Linux 5.13 and later), through its three system calls.

It needs no privileges and cannot be undone. It restricts access to the contents of files and folders; from
its version 4 on TCP as well, from version 6 on signals and abstract sockets. It does not restrict UDP, new
sessions, a file's times and modes, or the resources of a process and its children together: other walls do.
"""

from __future__ import annotations

import ctypes
import os
import site
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.evaluate.child.walls.namespaces import NOTHING, SHARED_MEMORY, Closed
from sparsebench.evaluate.child.walls.plan import PROC
from sparsebench.evaluate.child.walls.system import LINUX, WallError, demand, libc, number, prctl, syscall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sparsebench.evaluate.child.walls.plan import Plan

__all__ = ["LENGTHS_SINCE", "SIGNALS_SINCE", "descriptors", "restrict", "version"]

_VERSION_QUESTION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _DEVICE_IOCTL = 1, 2, 4, 8, 1 << 14, 1 << 15
_MAKE_DEVICES = (1 << 6) | (1 << 11)  # for root, a device in the own folder gives access to the whole disk
_FILES_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP = 1 | 2  # bind and connect
_SCOPES = 1 | 2  # abstract sockets and signals
LENGTHS_SINCE, _TCP_SINCE, SIGNALS_SINCE = 3, 4, 6
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_IOCTL
_NO_NEW_PRIVILEGES = 38

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
    *(f"/dev/{name}" for name in ("full", "random", "urandom", "zero")),
    # The number of processors for us: joblib does not start without it.
    *(f"/sys/fs/cgroup/{name}" for name in ("cpu.max", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")),
)
"""What Python's packages read of a system: not all of /dev, where a machine's memory and disks are."""


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("tcp", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # the layout that packing means; Python 3.13 and later require it
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """Return the version of Landlock that this kernel offers; 0 if there is none."""
    if not LINUX:
        return 0
    try:
        return syscall("landlock_create_ruleset", None, 0, _VERSION_QUESTION)
    except (OSError, WallError):
        return 0


def descriptors(hidden: Sequence[Path]) -> list[tuple[int, bool]]:
    """Open everything that any process may read: pairs of a descriptor, and whether it is of a folder.

    Finding it takes longer than all other walls together, so a parent does it once for its children. The
    kernel forgets entries of ``/proc``, and their rules, unless the parent holds them open.
    """
    found = []
    for path in (*_readable(hidden), *(Path("/proc", name) for name in PROC)):
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:  # a missing path needs no rule
            continue
        found.append((descriptor, stat.S_ISDIR(os.fstat(descriptor).st_mode)))
    return found


def restrict(plan: Plan, readable: Iterable[tuple[int, bool]], closed: Closed = NOTHING) -> int:
    """Restrict this process for ever to reading Python, the system's libraries and the submission.

    Parameters
    ----------
    plan
        The walls: they say what it may write to, and whether it may use a GPU.
    readable
        What :func:`descriptors` returned.
    closed
        Which of ``/dev/shm`` and ``/proc`` are this process's own.

    Returns
    -------
    int
        A descriptor that must stay open: under memory pressure the kernel forgets ``/proc/self``, and its
        rule, unless a process holds it open.

    Raises
    ------
    WallError
        If the kernel has no Landlock, or refuses it.
    """
    offered = version()
    if not offered:
        raise WallError("this kernel has no Landlock, or it is switched off")
    files = _files(offered)
    with demand("Landlock"):
        ruleset = _new_ruleset(offered, files)
        _allow_all(ruleset, plan, readable, files, closed)
        kept = os.open("/proc/self/task", os.O_PATH | os.O_CLOEXEC)
        prctl(_NO_NEW_PRIVILEGES, 1)
        syscall("landlock_restrict_self", ruleset, 0)
        os.close(ruleset)
    return kept


def _files(offered: int) -> int:
    return _FILES_BY_VERSION[max(known for known in _FILES_BY_VERSION if known <= offered)]


def _allow_all(
    ruleset: int, plan: Plan, readable: Iterable[tuple[int, bool]], files: int, closed: Closed
) -> None:
    for descriptor, folder in readable:
        _add(ruleset, descriptor, _READ & files, folder=folder)
    _allow(ruleset, plan.code, _READ & files)
    # Not all of it, if it is the machine's. A program that is started has another /proc/self, without a rule.
    _allow(ruleset, "/proc" if closed.processes else "/proc/self", _READ & files)
    _allow(ruleset, plan.work, files & ~_MAKE_DEVICES)
    if closed.memory:
        _allow(ruleset, SHARED_MEMORY, files & ~_MAKE_DEVICES)
    _allow(ruleset, "/dev/null", (_READ_FILE | _WRITE_FILE | _TRUNCATE) & files)
    if plan.gpu:
        _allow_cuda(ruleset, files)


def _allow_cuda(ruleset: int, files: int) -> None:
    """Allow the devices of NVIDIA's driver, and its libraries' access to files."""
    for path in sorted(Path("/dev").glob("nvidia*")):
        _allow(ruleset, path, (_READ_FILE | _WRITE_FILE | _DEVICE_IOCTL) & files)
    _allow(ruleset, "/proc/driver/nvidia", _READ & files)
    # They name their threads by writing to files, and do not start if they cannot.
    _allow(ruleset, "/proc/self/task", (_READ | _WRITE_FILE | _TRUNCATE) & files)


def _new_ruleset(offered: int, files: int) -> int:
    """Make a ruleset of all that this version can restrict. Older versions know a shorter structure."""
    tcp = _TCP if offered >= _TCP_SINCE else 0
    scopes = _SCOPES if offered >= SIGNALS_SINCE else 0
    attributes = _RulesetAttributes(files, tcp, scopes)
    words = 3 if scopes else 2 if tcp else 1
    size = words * ctypes.sizeof(ctypes.c_uint64)
    return syscall("landlock_create_ruleset", ctypes.byref(attributes), size, 0)


def _allow(ruleset: int, path: Path | str, access: int) -> None:
    """Allow access beneath a path; a missing path needs no rule."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    _add(ruleset, descriptor, access, folder=stat.S_ISDIR(os.fstat(descriptor).st_mode))
    os.close(descriptor)


def _add(ruleset: int, descriptor: int, access: int, *, folder: bool) -> None:
    rule = _PathBeneath(access if folder else access & _ON_FILES, descriptor)
    # There may be a hundred: the plain call saves half of the time.
    if libc().syscall(number("landlock_add_rule"), ruleset, _PATH_BENEATH, ctypes.byref(rule), 0):
        raise OSError(ctypes.get_errno(), f"a rule: {os.strerror(ctypes.get_errno())}")


def _readable(hidden: Sequence[Path]) -> Iterator[Path]:
    """Return all folders of Python and its packages, but nothing of the tasks."""
    package = Path(__file__).resolve().parents[3]
    # Another installation that can be read has its own copy of the data.
    copies = (Path(entry) / package.name / "_data" for entry in sys.path)
    holes = [hole.resolve() for hole in (package / "_data", package.parents[1] / "tasks", *copies, *hidden)]
    python = (sys.prefix, sys.base_prefix, *site.getsitepackages(), *sys.path, str(package))
    covered: list[Path] = []
    for root in sorted({Path(path).resolve() for path in (*_SYSTEM, *python)}):  # outer folders come first
        if not any(root.is_relative_to(other) for other in covered):
            covered += _without(root, holes)
    yield from covered


def _without(root: Path, holes: Iterable[Path]) -> list[Path]:
    """Return paths that cover ``root`` except ``holes``: rules can only allow, so each hole is left out."""
    holes = list(holes)
    if any(root.is_relative_to(hole) for hole in holes):
        return []
    inside = [hole for hole in holes if hole.is_relative_to(root) and hole.exists()]
    if not inside:
        return [root]
    around: list[Path] = []
    for part in _inside(root):
        around += [] if part.is_symlink() else _without(part, inside)
    return around


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # a folder that this user may not list, its children may not list either
        return []
