"""Namespaces: a process that sees no other process, has no network, and shares no memory."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sparsebench.evaluate.child.walls import outer
from sparsebench.evaluate.child.walls.plan import PROC
from sparsebench.evaluate.child.walls.system import demand, libc, prctl, syscall

if TYPE_CHECKING:
    from sparsebench.evaluate.child.walls.plan import Plan

__all__ = [
    "NOTHING",
    "SHARED_MEMORY",
    "Closed",
    "close_off",
    "into_own",
    "may_make",
    "out_of_processes",
    "own_processes",
    "processes_of",
]

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where POSIX semaphores are, by its one name
_SHARED_BYTES = 64 << 20
_MOST_FILES = 1 << 16  # each takes about a kilobyte of the kernel's memory, which no size of a tmpfs counts

_NEW_MOUNTS, _NEW_CGROUPS, _NEW_UTS, _NEW_IPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
_NEW_USERS, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_NO_SETUID, _NO_DEVICES, _NO_PROGRAMS = 2, 4, 8
_MOUNT_READ_ONLY, _BIND, _RECURSIVE, _PRIVATE = 1, 0x1000, 0x4000, 1 << 18
_HERE, _EVERYTHING_BELOW, _READ_ONLY = -100, 0x8000, 1
_DUMPABLE, _DEATH_SIGNAL = 4, 1


class Closed(NamedTuple):
    """The things that a process has as its own."""

    files: bool = False
    """Everything that others see is mounted read only, times and modes too."""
    memory: bool = False
    """``/dev/shm`` is its own."""
    processes: bool = False
    """``/proc`` shows its own processes alone, and of the rest what packages read."""


NOTHING = Closed()


class _MountAttributes(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "users"))


def into_own() -> None:
    """Continue as the first process of new user and PID namespaces; the calling process only waits for it.

    Call it early, in a process with one thread: from then on memory holds it twice. The outer process holds
    no descriptor but ``stderr``, and ends as the inner process ends, which dies with it.

    Raises
    ------
    WallError
        If the system does not allow an ordinary user such namespaces.
    """
    user, group = os.geteuid(), os.getegid()
    with demand("new user and PID namespaces"):
        prctl(_DUMPABLE, 1)  # otherwise the files of /proc/self belong to root
        _unshare(_NEW_USERS | _NEW_PROCESSES)
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
        inner = os.fork()
    if inner:
        outer.wait_for(inner)
    prctl(_DEATH_SIGNAL, signal.SIGKILL)


def processes_of(pid: str = "self") -> int:
    """Open a process's PID namespace."""
    return os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY | os.O_CLOEXEC)


def may_make() -> bool:
    """Return whether this process may make PID namespaces below its own."""
    try:
        namespace = processes_of()
        _enter(namespace)  # which is its present one
        os.close(namespace)
    except OSError:
        return False
    return True


def own_processes(namespace: int) -> None:
    """Make the next child the first of a new PID namespace below ``namespace``, which is this process's own.

    Raises
    ------
    WallError
        If the system gives none.
    """
    with demand("a new PID namespace"):
        _enter(namespace)  # while that of the last child is set, no other can be made
        _unshare(_NEW_PROCESSES)


def out_of_processes(namespace: int) -> None:
    """Put children into this process's own PID namespace again."""
    with demand("the own PID namespace"):
        _enter(namespace)


def close_off(plan: Plan, user: int | None) -> Closed:
    """Enter new namespaces of all other kinds; everything is read-only but two new folders.

    Parameters
    ----------
    plan
        The walls. ``plan.work`` becomes a file system of ``plan.files`` bytes, for this process alone.
    user
        The owner of the folders; None for this process's user.

    Returns
    -------
    Closed
        What else is its own on this system.

    Raises
    ------
    WallError
        If the system refuses one of them.
    """
    with demand("new IPC, network, mount and UTS namespaces"):
        _leave()
    with demand("private mounts"):
        _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    files = _seal()
    owner = os.geteuid() if user is None else user
    _fresh(plan.work, plan.files, owner)
    memory = SHARED_MEMORY.is_dir()
    if memory:
        _fresh(SHARED_MEMORY, min(_SHARED_BYTES, plan.files), owner)
    processes = _own_proc(("driver", *PROC) if plan.gpu else PROC)
    os.chdir(plan.work)
    return Closed(files, memory, processes)


def _leave() -> None:
    flags = _NEW_IPC | _NEW_NETWORK | _NEW_MOUNTS | _NEW_UTS
    try:
        _unshare(flags | _NEW_CGROUPS)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        _unshare(flags)  # a kernel without control groups has no names of groups to hide


def _seal() -> bool:
    """Make every mount read only (Linux 5.12 and later)."""
    attributes = _MountAttributes(_READ_ONLY, 0, 0, 0)
    size = ctypes.sizeof(attributes)
    try:
        syscall("mount_setattr", _HERE, b"/", _EVERYTHING_BELOW, ctypes.byref(attributes), size)
    except OSError:
        return False
    return True


def _own_proc(shown: tuple[str, ...]) -> bool:
    """Mount a ``/proc`` of the own PID namespace, with only chosen facts about the machine.

    Containers mask parts of their ``/proc``, and then the kernel allows no new one: Landlock restricts the
    machine's as well.
    """
    flags = _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS
    try:
        _mount("proc", "/proc", "proc", flags)
    except OSError:
        return False
    empty = None
    with demand("a /proc of its own"), os.scandir("/proc") as entries:
        for entry in entries:
            if entry.name.isdecimal() or entry.name in shown or entry.is_symlink():
                continue
            if not entry.is_dir():
                _mount("/dev/null", entry.path, None, _BIND)
            elif empty is None:
                empty = entry.path
                _mount("tmpfs", empty, "tmpfs", flags | _MOUNT_READ_ONLY, "size=4k")
            else:
                _mount(empty, entry.path, None, _BIND)
    return True


def _fresh(folder: Path, size: int, owner: int) -> None:
    data = f"size={size},nr_inodes={_MOST_FILES},mode=0700,uid={owner}"
    with demand(f"a file system of its own at {folder}"):
        _mount("tmpfs", str(folder), "tmpfs", _NO_SETUID | _NO_DEVICES, data)


def _unshare(flags: int) -> None:
    _checked(libc().unshare(flags))


def _enter(namespace: int) -> None:
    _checked(libc().setns(namespace, _NEW_PROCESSES))


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    given = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _checked(libc().mount(*given, ctypes.c_ulong(flags), data.encode() or None))


def _checked(answer: int) -> None:
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
