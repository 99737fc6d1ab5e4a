"""The attacks of the canaries. Each says whether it worked, or raises ``OSError``; what it makes it removes.

Parents are named by number. In a PID namespace of its own a process's parent has none, and any number that
it is told is one of its own processes: such attacks cannot even be tried.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.evaluate.child.walls.namespaces import SHARED_MEMORY
from sparsebench.evaluate.child.walls.system import syscall

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.evaluate.child.walls.plan import Plan

_PTRACE_SEIZE = 0x4206
_KEYCTL_REVOKE, _OWN_KEYRING = 3, -2
_IPC_PRIVATE, _IPC_CREATE, _IPC_REMOVE = 0, 0o1600, 0
_QUEUE_CREATE = 0o102
_NEW_USERS = 0x10000000
_MEBIBYTE = 1 << 20
_DEVICES = ("mem", "kmsg", "kvm", "fuse", "ptmx", "loop-control", "net/tun", "vda", "sda", "nvme0n1")


def _alone() -> bool:
    return os.getppid() == 0


def read_files(plan: Plan, _: int) -> bool:
    """List the root, and what is around the own folder."""
    return _any(
        *(lambda path=path: os.scandir(path).close() for path in ("/", plan.work.parent, *plan.hidden))
    )


def write_files(plan: Plan, _: int) -> bool:
    """Make a file beside the own folder, and where everybody may."""
    places = [plan.work.parent, plan.code, Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - tried, not used
    if not SHARED_MEMORY.is_mount() or not _alone():
        places.append(SHARED_MEMORY)
    return _any(
        *(lambda folder=folder: _write(folder / f"canary-{os.urandom(8).hex()}") for folder in places)
    )


def _write(path: Path) -> None:
    path.write_bytes(b"x")
    path.unlink()


def set_times(plan: Plan, _: int) -> bool:
    """Set times that others see to what they are."""

    def touch(path: Path) -> None:
        about = path.stat()
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))

    return _any(lambda: touch(plan.code), lambda: touch(Path("/dev/null")), lambda: os.utime("/dev/zero"))


def devices(plan: Plan, _: int) -> bool:
    """Open some, make one."""

    def make() -> None:
        path = plan.work / "canary-device"
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        path.unlink()

    def look(name: str) -> None:
        os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))

    return _any(make, *(lambda name=name: look(name) for name in _DEVICES))


def processes_listed(_: Plan, parent: int) -> bool:
    """List them, and read what the parent was started with."""
    return _any(
        lambda: os.scandir("/proc").close(),
        *(() if _alone() else (Path(f"/proc/{parent}/{name}").read_bytes for name in ("stat", "environ"))),
    )


def tcp(_: Plan, __: int) -> bool:
    """Listen on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
        opened.bind(("127.0.0.1", 0))
    return True


def udp(_: Plan, __: int) -> bool:
    """Listen on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
    return True


def unix_sockets(_: Plan, __: int) -> bool:
    """Have an abstract name, or a pair of datagrams, which can be sent to any name."""

    def named() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
            opened.bind(f"\0canary-{os.urandom(8).hex()}")

    def pair() -> None:
        for end in socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM):
            end.close()

    return _any(named, pair)


def signal_parent(_: Plan, parent: int) -> bool:
    """Ask whether a signal would arrive."""
    if not _alone():
        os.kill(parent, 0)
    return not _alone()


def trace_parent(_: Plan, parent: int) -> bool:
    """Trace it without stopping it, until this process ends."""
    if not _alone():
        syscall("ptrace", _PTRACE_SEIZE, parent, 0, 0)
    return not _alone()


def read_parent(_: Plan, parent: int) -> bool:
    """Read eight bytes where both have the same."""
    if _alone():
        return False
    kept, taken = ctypes.c_uint64(1), ctypes.c_uint64()
    local = (ctypes.c_uint64 * 2)(ctypes.addressof(taken), 8)
    remote = (ctypes.c_uint64 * 2)(ctypes.addressof(kept), 8)
    with contextlib.suppress(OSError):
        syscall("process_vm_readv", parent, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
        return True
    return _reaches_memory(parent)


def _reaches_memory(parent: int) -> bool:
    Path(f"/proc/{parent}/mem").open("rb").close()
    return True


def limits_of_parent(_: Plan, parent: int) -> bool:
    """Ask for one."""
    if not _alone():
        syscall("prlimit64", parent, 7, None, ctypes.byref((ctypes.c_uint64 * 2)()))
    return not _alone()


def priority_of_parent(_: Plan, parent: int) -> bool:
    """Set it to what it is."""
    if not _alone():
        os.setpriority(os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, parent))
    return not _alone()


def shared_memory(_: Plan, __: int) -> bool:
    """Make a segment."""
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
    """Add a key to the ring that ends with this process."""
    key = syscall("add_key", b"user", b"canary", b"x", 1, _OWN_KEYRING)
    syscall("keyctl", _KEYCTL_REVOKE, key, 0, 0, 0)
    return True


def session(_: Plan, __: int) -> bool:
    """Start one in a process of its own, as who leads a group may not."""
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
    """Make a table of one entry."""
    about = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
    os.close(syscall("bpf", 0, ctypes.byref(about), ctypes.sizeof(about)))
    return True


def user_namespace(_: Plan, __: int) -> bool:
    """Make one, in a process of its own."""
    return _in_fork(lambda: syscall("unshare", _NEW_USERS))


def mount(plan: Plan, _: int) -> bool:
    """Mount something on the own folder."""
    syscall("mount", b"tmpfs", os.fsencode(plan.work), b"tmpfs", 0, None)
    syscall("umount2", os.fsencode(plan.work), 2)
    return True


def fork_bomb(plan: Plan, _: int) -> bool:
    """Start processes that wait, twice as many as may be: others of this user may end meanwhile."""
    reading, writing = os.pipe()
    started: list[int] = []
    try:
        for _ in range(2 * plan.processes):
            pid = os.fork()
            if not pid:
                os.close(writing)
                os.read(reading, 1)  # until there is nobody left to write: signals may be refused
                os._exit(0)
            started.append(pid)
    finally:
        os.close(writing)
        for pid in started:
            os.waitpid(pid, 0)
        os.close(reading)
    return True


def fill(plan: Plan, _: int) -> bool:
    """Write one byte more than may be, in several files."""
    part = min(plan.files, _MEBIBYTE)
    written = [plan.work / f"canary-{index}" for index in range(plan.files // part + 1)]
    try:
        for path in written:
            path.write_bytes(bytes(part))
    finally:
        for path in written:
            path.unlink(missing_ok=True)
    return True


def strangers(_: Plan, __: int) -> bool:
    """Have a parent that has a number."""
    return not _alone()


def interfaces(_: Plan, __: int) -> bool:
    """Look for one other than the loopback."""
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    return any(line.split(":")[0].strip() != "lo" for line in lines)


def _any(*ways: Callable[[], object]) -> bool:
    worked = False
    for way in ways:
        with contextlib.suppress(OSError):
            way()
            worked = True
    return worked


def _in_fork(way: Callable[[], object]) -> bool:
    pid = os.fork()
    if not pid:
        try:
            way()
        except BaseException:  # noqa: BLE001 - it must not go on as the process that forked it
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0
