"""Who a process is: another user where it was root, without root's powers, and gone when its parent goes."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import select
import signal
from pathlib import Path

from sparsebench.evaluate.child.walls.system import demand, libc, prctl, syscall

__all__ = ["become", "die_with_parent", "last_power", "renounce", "user_of"]

_FIRST_USER, _USERS = 61184, 4336  # what systemd keeps for users that come and go
_NOBODY = 65534
_STRIDE = 61  # parents have neighbouring numbers; prime, so that all users are used

_DEATH_SIGNAL, _DUMPABLE, _KEEP_CAPABILITIES, _DROP_BOUND, _AMBIENT = 1, 4, 8, 24, 47
_RAISE, _CLEAR_ALL = 2, 4
_CAPABILITY_HEADER = 0x20080522
_OVERRIDE, _READ_SEARCH = 1, 2


def die_with_parent(parent: int | None = None) -> None:
    """Have this process killed when its parent goes, however it goes.

    Parameters
    ----------
    parent
        A descriptor of the parent.

    Raises
    ------
    WallError
        If that went before this could be asked for: nobody would be told.
    """
    with demand("to die with the parent"):
        prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if parent is not None:
            ended = select.poll()
            ended.register(parent, select.POLLIN)
            if ended.poll(0):
                raise ProcessLookupError(errno.ESRCH, "it is gone")


def user_of(parent: int, fork: int) -> int | None:
    """Choose who a parent's child is to be; None where this process cannot be anybody else.

    Children that run at once are different users where there are enough. Two who are one share its number of
    processes, and nothing else: the other walls do not rely on users.
    """
    if os.geteuid() != 0:
        return None
    for user in (_FIRST_USER + (parent * _STRIDE + fork) % _USERS, _NOBODY):
        if _mapped("uid", user) and _mapped("gid", user):
            return user
    return None


def _mapped(kind: str, number: int) -> bool:
    return any(first <= number < first + count for first, count in _ranges(kind))


@functools.cache
def _ranges(kind: str) -> tuple[tuple[int, int], ...]:
    lines = Path(f"/proc/self/{kind}_map").read_text(encoding="ascii").splitlines()
    return tuple((int(first), int(count)) for first, _, count in map(str.split, lines))


def become(user: int) -> None:
    """Be another user, in no group but its own; what root could do stays permitted until :func:`renounce`."""
    with demand(f"to become user {user}"):
        prctl(_KEEP_CAPABILITIES, 1)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def renounce(*, reading: bool) -> None:
    """Give up all powers, for good.

    Parameters
    ----------
    reading
        Whether to keep the one to read what others own, also in programs started later: a Python below a
        folder closed to this user would not load without it. Landlock holds what is read, and seccomp the
        one call by which this power passes Landlock by (``open_by_handle_at``).
    """
    with demand("to give up root's powers"):
        permitted = _permitted()
        # Where there is no power to read alone, that to write as well: Landlock holds both.
        kept = next((one for one in (_READ_SEARCH, _OVERRIDE) if reading and permitted & 1 << one), None)
        _set(permitted, 0)  # a change of user has taken their effect
        for one in range(last_power() + 1):
            if one != kept:
                # Fails without the power to, and what is not in reach needs no bound.
                libc().prctl(_DROP_BOUND, one, 0, 0, 0)
        mask = 0 if kept is None else 1 << kept
        libc().prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)  # Linux 4.3 and later
        _set(mask, mask)
        if kept is not None:
            prctl(_AMBIENT, _RAISE, kept)
        prctl(_DUMPABLE, 1)  # or the files of /proc/self are root's


@functools.cache
def last_power() -> int:
    """Give the last capability that this kernel knows."""
    return int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))


def _permitted() -> int:
    header, sets = (ctypes.c_uint32 * 2)(_CAPABILITY_HEADER, 0), (ctypes.c_uint32 * 6)()
    syscall("capget", ctypes.byref(header), ctypes.byref(sets))
    return int(sets[1]) | int(sets[4]) << 32


def _set(mask: int, inherited: int) -> None:
    header, words = (ctypes.c_uint32 * 2)(_CAPABILITY_HEADER, 0), (mask & 0xFFFFFFFF, mask >> 32)
    # Effective, permitted, inheritable: the low words, then the high ones.
    sets = (ctypes.c_uint32 * 6)(words[0], words[0], inherited, words[1], words[1], 0)
    syscall("capset", ctypes.byref(header), ctypes.byref(sets))
