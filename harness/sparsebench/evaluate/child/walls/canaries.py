"""Attacks that test the walls before anything relies on them. A level is what the tests show to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sparsebench.evaluate.child.walls import attempts, attempts_on_kernel, attempts_on_others
from sparsebench.evaluate.child.walls.plan import LEVELS
from sparsebench.evaluate.child.walls.system import WallError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.evaluate.child.walls.plan import Plan

__all__ = ["CANARIES", "Canary", "canaries", "describe", "required"]


class Canary(NamedTuple):
    """One harmless attack."""

    attempt: Callable[[Plan, int], bool]
    """Whether it succeeded. It raises ``OSError`` if it was refused."""
    about: str
    level: str = "restricted"
    """The weakest level at which it must not work."""


CANARIES = {
    "read-files": Canary(attempts.read_files, "reads what is neither Python's nor the submission's"),
    "write-files": Canary(attempts.write_files, "writes outside its own folder"),
    "file-times": Canary(attempts.set_times, "leaves a message in the times of a file that others see"),
    "devices": Canary(attempts.devices, "opens a device of the machine's, or makes one"),
    "proc": Canary(
        attempts_on_others.processes_listed, "lists the machine's processes, or reads of its parent"
    ),
    "tcp": Canary(attempts.tcp, "opens a TCP socket"),
    "udp": Canary(attempts.udp, "opens a UDP socket"),
    "unix-sockets": Canary(attempts.unix_sockets, "opens a socket that has a name on this machine"),
    "signals": Canary(attempts_on_others.signal_parent, "sends its parent a signal"),
    "ptrace": Canary(attempts_on_others.trace_parent, "takes hold of its parent as a debugger does"),
    "memory-of-others": Canary(attempts_on_others.read_parent, "reads its parent's memory"),
    "limits-of-others": Canary(attempts_on_others.limits_of_parent, "changes its parent's limits"),
    "priority-of-others": Canary(attempts_on_others.priority_of_parent, "changes its parent's priority"),
    "shared-memory": Canary(attempts_on_kernel.shared_memory, "leaves a System V segment of shared memory"),
    "semaphores": Canary(attempts_on_kernel.semaphores, "leaves a System V semaphore"),
    "messages": Canary(attempts_on_kernel.messages, "leaves a System V queue of messages"),
    "posix-queues": Canary(attempts_on_kernel.posix_queue, "leaves a POSIX queue of messages"),
    "keyrings": Canary(attempts_on_kernel.keyring, "leaves a key with the kernel"),
    "sessions": Canary(attempts_on_kernel.session, "starts a session of its own, as a daemon does"),
    "memfd": Canary(attempts_on_kernel.memfd, "makes files in memory that no limit counts"),
    "io-uring": Canary(attempts_on_kernel.io_uring, "makes system calls that no filter sees"),
    "bpf": Canary(attempts_on_kernel.bpf, "loads programs or tables into the kernel"),
    "user-namespaces": Canary(attempts_on_kernel.user_namespace, "becomes root of a namespace of its own"),
    "mounts": Canary(attempts_on_kernel.mount, "changes what is mounted"),
    "fork-bomb": Canary(attempts.fork_bomb, "starts more processes than it may"),
    "disk": Canary(attempts.fill, "fills the disk with many files", "isolated"),
    "sees-processes": Canary(
        attempts_on_others.strangers, "has numbers for processes that are not its own", "isolated"
    ),
    "interfaces": Canary(attempts_on_others.interfaces, "sees the machine's network interfaces", "isolated"),
}


def canaries(plan: Plan, parent_pid: int) -> dict[str, bool]:
    """Try every attack, in a walled throw-away process that does nothing else.

    Parameters
    ----------
    plan
        The walls that were put up. With few ``processes`` and ``files`` this takes milliseconds.
    parent_pid
        The number of the parent process, as it sees itself.

    Returns
    -------
    dict
        Name of the attack: whether the walls held it off.
    """
    return {name: _held(canary, plan, parent_pid) for name, canary in CANARIES.items()}


def _held(canary: Canary, plan: Plan, parent_pid: int) -> bool:
    try:
        return not canary.attempt(plan, parent_pid)
    except (OSError, WallError):
        return True


def required(level: str) -> frozenset[str]:
    """Return the names of the canaries that must hold for a level."""
    asked = LEVELS.index(level)
    return frozenset(name for name, canary in CANARIES.items() if LEVELS.index(canary.level) <= asked)


def describe() -> dict[str, str]:
    """Return a line for each canary: what a process can do if it is not held off."""
    return {name: canary.about for name, canary in CANARIES.items()}
