"""Attacks of the canaries that leave objects in the kernel, or ask it for powers.

Each returns whether it succeeded, or raises ``OSError``; it removes what it makes.
"""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

from sparsebench.evaluate.child.walls.system import syscall

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.evaluate.child.walls.plan import Plan

_KEYCTL_REVOKE, _OWN_KEYRING = 3, -2
_IPC_PRIVATE, _IPC_CREATE, _IPC_REMOVE = 0, 0o1600, 0
_QUEUE_CREATE = 0o102
_NEW_USERS = 0x10000000


def shared_memory(_: Plan, __: int) -> bool:
    """Make a shared memory segment."""
    syscall("shmctl", syscall("shmget", _IPC_PRIVATE, 4096, _IPC_CREATE), _IPC_REMOVE, None)
    return True


def semaphores(_: Plan, __: int) -> bool:
    """Make one."""
    syscall("semctl", syscall("semget", _IPC_PRIVATE, 1, _IPC_CREATE), 0, _IPC_REMOVE, 0)
    return True


def messages(_: Plan, __: int) -> bool:
    """Make a queue."""
    syscall("msgctl", syscall("msgget", _IPC_PRIVATE, _IPC_CREATE), _IPC_REMOVE, None)
    return True


def posix_queue(_: Plan, __: int) -> bool:
    """Make a queue."""
    name = f"canary-{os.urandom(8).hex()}".encode()
    os.close(syscall("mq_open", name, _QUEUE_CREATE, 0o600, None))
    syscall("mq_unlink", name)
    return True


def keyring(_: Plan, __: int) -> bool:
    """Add a key to the keyring that ends with this process."""
    key = syscall("add_key", b"user", b"canary", b"x", 1, _OWN_KEYRING)
    syscall("keyctl", _KEYCTL_REVOKE, key, 0, 0, 0)
    return True


def session(_: Plan, __: int) -> bool:
    """Start a session in a new process, since the leader of a process group may not."""
    return _in_fork(lambda: os.setsid())  # noqa: PLW0108 - a lambda gives the call's own result


def memfd(_: Plan, __: int) -> bool:
    """Make one."""
    os.close(syscall("memfd_create", b"canary", 1))
    return True


def io_uring(_: Plan, __: int) -> bool:
    """Make one."""
    os.close(syscall("io_uring_setup", 1, ctypes.byref((ctypes.c_uint32 * 30)())))
    return True


def bpf(_: Plan, __: int) -> bool:
    """Make a BPF table of one entry."""
    about = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
    os.close(syscall("bpf", 0, ctypes.byref(about), ctypes.sizeof(about)))
    return True


def user_namespace(_: Plan, __: int) -> bool:
    """Make a user namespace, in a new process."""
    return _in_fork(lambda: syscall("unshare", _NEW_USERS))


def mount(plan: Plan, _: int) -> bool:
    """Mount something on the own folder."""
    syscall("mount", b"tmpfs", os.fsencode(plan.work), b"tmpfs", 0, None)
    syscall("umount2", os.fsencode(plan.work), 2)
    return True


def _in_fork(way: Callable[[], object]) -> bool:
    pid = os.fork()
    if not pid:
        try:
            way()
        except BaseException:  # noqa: BLE001 - it must not go on as the process that forked it
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
