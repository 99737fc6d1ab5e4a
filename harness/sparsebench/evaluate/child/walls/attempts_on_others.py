"""Attacks of the canaries on other processes. Each returns whether it succeeded, or raises ``OSError``.

Parents are named by number. In its own PID namespace a process's parent has no number, and any number names
one of its own processes: such attacks cannot even be tried.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sparsebench.evaluate.child.walls.attempts import any_of
from sparsebench.evaluate.child.walls.system import syscall

if TYPE_CHECKING:
    from sparsebench.evaluate.child.walls.plan import Plan

_PTRACE_SEIZE = 0x4206


def _alone() -> bool:
    return os.getppid() == 0


def processes_listed(_: Plan, parent: int) -> bool:
    """List processes, and read the parent's command line; in its own ``/proc``, the machine's state."""
    own = str(os.getpid())
    if _alone() and str(Path("/proc/self").readlink()) == own:
        listed = {path.name for path in Path("/proc").iterdir() if path.name.isdecimal()}
        return listed != {own} or Path("/proc/vmstat").read_bytes() != b""
    return any_of(
        lambda: os.scandir("/proc").close(),
        *(() if _alone() else (Path(f"/proc/{parent}/{name}").read_bytes for name in ("stat", "environ"))),
    )


def signal_parent(_: Plan, parent: int) -> bool:
    """Ask whether the parent would get a signal."""
    if not _alone():
        os.kill(parent, 0)
    return not _alone()


def trace_parent(_: Plan, parent: int) -> bool:
    """Trace the parent without stopping it, until this process ends."""
    if not _alone():
        syscall("ptrace", _PTRACE_SEIZE, parent, 0, 0)
    return not _alone()


def read_parent(_: Plan, parent: int) -> bool:
    """Read eight bytes of the parent's memory at an address where both have the same."""
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
    """Read a limit of the parent."""
    if not _alone():
        syscall("prlimit64", parent, 7, None, ctypes.byref((ctypes.c_uint64 * 2)()))
    return not _alone()


def priority_of_parent(_: Plan, parent: int) -> bool:
    """Set the parent's priority to its present value."""
    if not _alone():
        os.setpriority(os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, parent))
    return not _alone()


def strangers(_: Plan, __: int) -> bool:
    """Return whether the parent has a number."""
    return not _alone()


def interfaces(_: Plan, __: int) -> bool:
    """Look for a network interface other than the loopback."""
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()[2:]
    return any(line.split(":")[0].strip() != "lo" for line in lines)
