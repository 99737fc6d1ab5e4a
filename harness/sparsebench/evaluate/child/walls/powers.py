"""The identity of a process: another user if it was root, without root's powers, ending with its parent."""

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

_FIRST_USER, _USERS = 61184, 4336  # the range of systemd's dynamic users
_NOBODY = 65534
_STRIDE = 61  # parents have adjacent numbers; a prime, so that all users are used

_DEATH_SIGNAL, _DUMPABLE, _KEEP_CAPABILITIES, _DROP_BOUND, _AMBIENT = 1, 4, 8, 24, 47
_RAISE, _CLEAR_ALL = 2, 4
_CAPABILITY_HEADER = 0x20080522
_OVERRIDE, _READ_SEARCH = 1, 2


def die_with_parent(parent: int | None = None) -> None:
    """Let this process be killed when its parent ends, in whatever way.

    Parameters
    ----------
    parent
        A descriptor of the parent.

    Raises
    ------
    WallError
        If the parent ended before this was requested: then no signal would come.
    """
    with demand("to die with the parent"):
        prctl(_DEATH_SIGNAL, signal.SIGKILL)
        if parent is not None:
            ended = select.poll()
            ended.register(parent, select.POLLIN)
            if ended.poll(0):
                raise ProcessLookupError(errno.ESRCH, "it is gone")


def user_of(parent: int, fork: int) -> int | None:
    """Choose the user of a parent's child; None if this process cannot change its user.

    Children that run at once are different users if there are enough. Two children of one user share its
    number of processes, and nothing else: the other walls do not rely on users.
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
    """Become another user, only in its own group; root's powers stay permitted until :func:`renounce`."""
    with demand(f"to become user {user}"):
        prctl(_KEEP_CAPABILITIES, 1)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def renounce(*, reading: bool) -> None:
    """Give up all powers for ever.

    Parameters
    ----------
    reading
        Whether to keep the power to read files of others, also in programs started later: a Python below a
        folder that is closed to this user would not load without it. Landlock restricts what is read, and
        seccomp blocks the one call by which this power bypasses Landlock (``open_by_handle_at``).
    """
    with demand("to give up root's powers"):
        permitted = _permitted()
        # Without a power only to read, keep that to write as well: Landlock restricts both.
        kept = next((one for one in (_READ_SEARCH, _OVERRIDE) if reading and permitted & 1 << one), None)
        _set(permitted, 0)  # a change of user has removed their effect
        for one in range(last_power() + 1):
            if one != kept:
                # Fails without the power for it, and a power that cannot be gained needs no bound.
                libc().prctl(_DROP_BOUND, one, 0, 0, 0)
        mask = 0 if kept is None else 1 << kept
        libc().prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)  # Linux 4.3 and later
        _set(mask, mask)
        if kept is not None:
            prctl(_AMBIENT, _RAISE, kept)
        prctl(_DUMPABLE, 1)  # otherwise the files of /proc/self belong to root


@functools.cache
def last_power() -> int:
    """Return the last capability that this kernel knows."""
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
