"""The filter of system calls, in classic BPF. It blocks what files and namespaces do not cover.

It lists what is refused, not what is allowed: honest libraries make calls that nobody has listed. Refused
calls fail with ``EPERM``; ``clone3``, whose flags a filter cannot see, and every call newer than the table
fail with ``ENOSYS``, so that C libraries fall back; a call by another architecture's numbers ends the
process. The table for aarch64 is untested.
"""

from __future__ import annotations

import ctypes
import errno
import functools
from typing import NamedTuple

from sparsebench.evaluate.child.walls.numbers import ARCHITECTURES, AUDIT, NEWEST, NUMBERS
from sparsebench.evaluate.child.walls.system import architecture, demand, prctl

__all__ = ["Held", "compiled", "install", "program", "refused"]

_LOAD, _EQUAL, _GREATER, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # their offsets in the data that the kernel gives a filter
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_SET_SECCOMP, _FILTER, _NO_NEW_PRIVILEGES = 22, 2, 38

_NAMESPACES = 0x7E020000  # CLONE_NEW* of clone; a new time namespace is for clone3 and unshare alone
_UNIX = 1  # of the families of sockets
_STREAM, _PACKETS, _KIND = 1, 5, 0xF
_PUSHES_KEYS = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX: input into another process's terminal
_MARKS_FILES = (
    # FS_IOC_SETFLAGS, FS_IOC_SETVERSION and FS_IOC_FSSETXATTR, of 64 and of 32 bits: they work on own open
    # files, and the user who runs the harness may own Python and the copy of the code.
    *(0x40086602, 0x40046602, 0x40087602, 0x40047602, 0x401C5820),
)
_LEASES, _NOTICES, _HINTS = (
    (1024,),
    (1026,),
    (1036, 1038),
)  # of fcntl: settings that all users of a file share
# F_SETOWN, F_SETSIG, F_SETOWN_EX, FIOSETOWN and SIOCSPGRP: a signal to any process, when a file is ready.
_OWNS_SIGNALS, _OWNS_BY_IOCTL = (8, 10, 15), (0x8901, 0x8902)
_ASKS_PERSONALITY = 0xFFFFFFFF
_ANYBODY = 0x5EC0001D  # a placeholder for a process's own number, which no process has

_ALWAYS = (
    # Sockets. Only a pair of AF_UNIX remains, made by socketpair.
    *("socket", "connect", "bind", "listen", "accept", "accept4"),
    # Other processes.
    *("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_open", "pidfd_getfd"),
    *("pidfd_send_signal", "process_madvise", "process_mrelease"),
    # The file systems, and their mounts.
    *("mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount"),
    *("open_tree", "mount_setattr", "unshare", "setns", "open_by_handle_at", "name_to_handle_at"),
    *("fanotify_init", "fanotify_mark", "inotify_init", "inotify_init1", "inotify_add_watch"),
    # The kernel.
    *("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "swapon"),
    *("swapoff", "acct", "quotactl", "quotactl_fd", "syslog", "lookup_dcookie", "vhangup", "sethostname"),
    *("setdomainname", "iopl", "ioperm", "modify_ldt"),
    *("clock_settime", "clock_adjtime", "settimeofday", "adjtimex"),
    # Objects that outlive a process, or that no limit of its memory counts.
    *(
        "add_key",
        "request_key",
        "keyctl",
        "shmget",
        "shmat",
        "shmctl",
        "shmdt",
        "semget",
        "semop",
        "semtimedop",
    ),
    *("semctl", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend"),
    *("mq_timedreceive", "mq_notify", "mq_getsetattr", "memfd_create", "memfd_secret", "setsid", "setpgid"),
)

_TIMES = ("utime", "utimes", "futimesat", "utimensat")
_ATTRIBUTES = ("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr")
_OWNERS = ("chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat")
_FIRST_NAMES_PROCESS = (
    *("sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr", "sched_getaffinity"),
    *(
        "sched_getscheduler",
        "sched_getparam",
        "sched_getattr",
        "migrate_pages",
        "move_pages",
        "getpgid",
        "getsid",
    ),
)
_SECOND_NAMES_PROCESS = {"setpriority": 0, "getpriority": 0, "ioprio_set": 1, "ioprio_get": 1}
"""The call, and the value of its first argument by which the second is a process, not a group or a user."""
_SIGNALS = ("kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")


class Held(NamedTuple):
    """The restrictions of other walls, which the filter does not need to repeat."""

    processes: bool = False
    """A PID namespace: no process outside has a number."""
    signals: bool = False
    """It, or Landlock's scope."""
    times: bool = False
    """Everything that others see is mounted read only: times and attributes of files are safe."""
    owners: bool = False
    """Nothing that others see belongs to this process's user, or :attr:`times`."""
    lengths: bool = False
    """Landlock keeps files from being shortened by their names."""


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.c_void_p))


Code = tuple[int, int, int, int]  # operation, jump if true, jump if false, constant

_REFUSE: Code = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
_UNKNOWN: Code = (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)
_PERMIT: Code = (_RETURN, 0, 0, _ALLOW)


def refused(held: Held) -> tuple[str, ...]:
    """Return the names of the calls that fail whatever their arguments are."""
    times = (
        () if held.times else (*_TIMES, *_ATTRIBUTES)
    )  # a process that may read everything may write attributes, in a container
    lengths = () if held.lengths or held.times else ("truncate",)
    owners = () if held.owners or held.times else _OWNERS
    return (*_ALWAYS, *times, *owners, *lengths)


def program(machine: str, pid: int, held: Held) -> list[Code]:
    """Return the filter of a process.

    Parameters
    ----------
    machine
        One of :data:`~sparsebench.evaluate.child.walls.numbers.ARCHITECTURES`.
    pid
        The process's own number, which it may use in calls.
    held
        What other walls restrict.
    """
    column = ARCHITECTURES.index(machine)
    code: list[Code] = [
        *((_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, AUDIT[machine]), (_RETURN, 0, 0, _KILL)),
        *((_LOAD, 0, 0, _NUMBER), (_GREATER, 0, 1, NEWEST), _UNKNOWN),
    ]
    bodies = {"clone3": [_UNKNOWN], **_looked_into(pid, held), **{name: [_REFUSE] for name in refused(held)}}
    for name, body in bodies.items():
        number = NUMBERS[name][column]
        if number is not None:
            code += [(_EQUAL, 0, len(body), number), *body]
    return [*code, _PERMIT]


def _looked_into(pid: int, held: Held) -> dict[str, list[Code]]:
    """Yield the parts that depend on arguments. Each part ends: what is not refused is permitted."""
    bodies = {
        "clone": [_argument(0), (_ANY_BIT, 0, 1, _NAMESPACES), _REFUSE, _PERMIT],
        "ioctl": _one_of(1, (*_PUSHES_KEYS, *_MARKS_FILES, *_OWNS_BY_IOCTL), then=_REFUSE, otherwise=_PERMIT),
        "fcntl": _one_of(
            1,
            (*_LEASES, *_NOTICES, *_HINTS, *_OWNS_SIGNALS),
            then=_REFUSE,
            otherwise=_PERMIT,
        ),
        # Datagrams of a pair can be sent to other sockets of the machine, by their path. Other families have
        # pairs as well (TIPC), whose ends have addresses that others can reach.
        "socketpair": [*_only(0, _UNIX), *_one_of(1, (_STREAM, _PACKETS), mask=_KIND)],
        "personality": _one_of(0, (0, _ASKS_PERSONALITY)),
        "prlimit64": _one_of(0, (0, pid)),
    }
    if not held.processes:
        # Libraries that pin their threads name these: the call is refused, and they continue.
        bodies |= {name: _one_of(0, (0, pid)) for name in _FIRST_NAMES_PROCESS}
        for name, by_process in _SECOND_NAMES_PROCESS.items():
            bodies[name] = [*_only(0, by_process), *_one_of(1, (0, pid))]
    if not held.signals:
        bodies |= {name: _one_of(0, (pid,)) for name in _SIGNALS}
    return bodies


def _argument(index: int) -> Code:
    """Load the lower half of an argument, which is all that the kernel reads of an ``int``."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _only(index: int, value: int) -> list[Code]:
    """Refuse the call unless an argument is ``value``; otherwise continue."""
    return [_argument(index), (_EQUAL, 1, 0, value), _REFUSE]


def _one_of(
    index: int,
    values: tuple[int, ...],
    *,
    mask: int | None = None,
    then: Code = _PERMIT,
    otherwise: Code = _REFUSE,
) -> list[Code]:
    code = [_argument(index)]
    if mask is not None:
        code.append((_AND, 0, 0, mask))
    for value in values:
        code += [(_EQUAL, 0, 1, value), then]
    return [*code, otherwise]


@functools.cache
def compiled(held: Held) -> tuple[ctypes.Array[_Instruction], tuple[int, ...]]:
    """Make this machine's filter, and return the places for the process's own number in it.

    A parent that has called this saves its children most of the time.

    Raises
    ------
    WallError
        If there is no table for this machine.
    """
    code = program(architecture(), _ANYBODY, held)
    own = tuple(place for place, line in enumerate(code) if line[3] == _ANYBODY)
    return (_Instruction * len(code))(*(_Instruction(*line) for line in code)), own


def install(pid: int, held: Held) -> None:
    """Put the filter on this process and all that it starts, for ever.

    Raises
    ------
    WallError
        If the kernel refuses it, or there is no table for this machine.
    """
    code, own = compiled(held)
    for place in own:
        code[place].k = pid
    told = _Program(len(code), ctypes.addressof(code))
    with demand("seccomp"):
        prctl(_NO_NEW_PRIVILEGES, 1)
        prctl(_SET_SECCOMP, _FILTER, ctypes.byref(told))
