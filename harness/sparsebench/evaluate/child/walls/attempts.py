"""Attacks of the canaries on files, on the network and on limits.

Each returns whether it succeeded, or raises ``OSError``; it removes what it makes.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.evaluate.child.walls.namespaces import SHARED_MEMORY

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.evaluate.child.walls.plan import Plan

_MEBIBYTE = 1 << 20
_DEVICES = ("mem", "kmsg", "kvm", "fuse", "ptmx", "loop-control", "net/tun", "vda", "sda", "nvme0n1")


def read_files(plan: Plan, _: int) -> bool:
    """List the root, and the folders around the own one."""
    return any_of(
        *(lambda path=path: os.scandir(path).close() for path in ("/", plan.work.parent, *plan.hidden))
    )


def write_files(plan: Plan, _: int) -> bool:
    """Make a file next to the own folder, and in folders where everybody may."""
    places = [plan.work.parent, plan.code, Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - tried, not used
    if not SHARED_MEMORY.is_mount() or os.getppid() != 0:
        places.append(SHARED_MEMORY)
    return any_of(
        *(lambda folder=folder: _write(folder / f"canary-{os.urandom(8).hex()}") for folder in places)
    )


def _write(path: Path) -> None:
    path.write_bytes(b"x")
    path.unlink()


def set_times(plan: Plan, _: int) -> bool:
    """Set times that others see to their present values."""

    def touch(path: Path) -> None:
        about = path.stat()
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))

    return any_of(lambda: touch(plan.code), lambda: touch(Path("/dev/null")), lambda: os.utime("/dev/zero"))


def devices(plan: Plan, _: int) -> bool:
    """Open devices, and make one."""

    def make() -> None:
        path = plan.work / "canary-device"
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        path.unlink()

    def look(name: str) -> None:
        os.close(os.open(f"/dev/{name}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))

    return any_of(make, *(lambda name=name: look(name) for name in _DEVICES))


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
    """Bind an abstract name, or make a pair of datagram sockets, which reach any name, or a TIPC pair."""

    def named() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
            opened.bind(f"\0canary-{os.urandom(8).hex()}")

    def pair(family: int, kind: int) -> None:
        for end in socket.socketpair(family, kind):
            end.close()

    return any_of(
        named,
        lambda: pair(socket.AF_UNIX, socket.SOCK_DGRAM),
        lambda: pair(socket.AF_TIPC, socket.SOCK_SEQPACKET),
    )


def fork_bomb(plan: Plan, _: int) -> bool:
    """Start waiting processes, twice as many as allowed: others of this user may end meanwhile."""
    reading, writing = os.pipe()
    started: list[int] = []
    try:
        for _ in range(2 * plan.processes):
            pid = os.fork()
            if not pid:
                os.close(writing)
                os.read(reading, 1)  # until no writer is left: signals may be refused
                os._exit(0)
            started.append(pid)
    finally:
        os.close(writing)
        for pid in started:
            os.waitpid(pid, 0)
        os.close(reading)
    return True


def fill(plan: Plan, _: int) -> bool:
    """Write one byte more than allowed, in several files."""
    part = min(plan.files, _MEBIBYTE)
    written = [plan.work / f"canary-{index}" for index in range(plan.files // part + 1)]
    try:
        for path in written:
            path.write_bytes(bytes(part))
    finally:
        for path in written:
            path.unlink(missing_ok=True)
    return True


def any_of(*ways: Callable[[], object]) -> bool:
    """Try each of several ways."""
    worked = False
    for way in ways:
        with contextlib.suppress(OSError):
            way()
            worked = True
    return worked
