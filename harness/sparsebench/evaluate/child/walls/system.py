"""System calls, and the error that says which wall is not possible."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import sys

from sparsebench.evaluate.child.walls.numbers import ARCHITECTURES, NUMBERS

__all__ = ["LINUX", "WallError", "architecture", "demand", "libc", "number", "prctl", "syscall"]

LINUX = sys.platform == "linux"


class WallError(RuntimeError):
    """A required wall that this system does not provide."""


@functools.cache
def libc() -> ctypes.CDLL:
    """Return the C library, with its ``errno`` saved after calls."""
    return ctypes.CDLL(None, use_errno=True)


@functools.cache
def architecture() -> str:
    """Return the name of this machine's architecture.

    Raises
    ------
    WallError
        If there is no table of its system calls.
    """
    found = platform.machine()
    if found not in ARCHITECTURES or sys.maxsize < 1 << 32:
        raise WallError(f"no table of system calls for {found}; there are {', '.join(ARCHITECTURES)}")
    return found


@functools.cache
def number(name: str) -> int | None:
    """Return a system call's number here; None if this architecture does not have the call."""
    return NUMBERS[name][ARCHITECTURES.index(architecture())]


def syscall(name: str, *arguments: object) -> int:
    """Make a system call.

    Raises
    ------
    OSError
        If the kernel refuses.
    WallError
        If this architecture does not have the call.
    """
    found = number(name)
    if found is None:
        raise WallError(f"{architecture()} has no system call {name}")
    # With a C int the upper half of a register would be undefined.
    given = [ctypes.c_long(part) if isinstance(part, int) else part for part in arguments]
    return _checked(int(libc().syscall(ctypes.c_long(found), *given)))


def prctl(option: int, *arguments: object) -> int:
    """Change an attribute of this process.

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    given = [ctypes.c_ulong(part) if isinstance(part, int) else part for part in arguments]
    given += [ctypes.c_ulong(0)] * (4 - len(given))
    return _checked(int(libc().prctl(option, *given)))


def _checked(answer: int) -> int:
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer


class demand:  # noqa: N801 - read like a keyword: `with demand("a new network"):`
    """A block in which a refusal of the kernel becomes a :class:`WallError` that names what was required."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise WallError(f"{self._wanted}: {error.strerror or error}") from error
