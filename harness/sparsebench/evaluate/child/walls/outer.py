"""The outer part of a process that continues as its own child: it waits, and ends as the inner one ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from typing import NoReturn

from sparsebench.evaluate.child import watch
from sparsebench.evaluate.child.walls.system import prctl

__all__ = ["SUBREAPER", "keep", "wait_for"]

SUBREAPER = 36
"""The option of ``prctl`` by which orphans further down become this process's children."""

_TICK = 10  # milliseconds between two checks of what is left
_PATIENCE = 1000  # most ticks until it has ended


def keep() -> int:
    """Continue as the child of a process that only waits, and that ends everything that this one leaves.

    A warm parent ends what its children leave. If it is killed itself, all of that become children of its
    keeper. Call it early, in a process with one thread: from then on memory holds it twice.

    Returns
    -------
    int
        A descriptor of the waiting process, the keeper. A process that sees the keeper's end must end
        everything itself.
    """
    prctl(SUBREAPER, 1)
    keeper = os.pidfd_open(os.getpid())  # before the fork: it may be killed at once
    inner = os.fork()
    if inner:
        _hold_nothing()
        # The process that waits for us gives up on the inner one, which may be stuck.
        signal.signal(signal.SIGTERM, lambda *_: os.kill(inner, signal.SIGKILL))
        _, status = os.waitpid(inner, 0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_children()
        _end_as(status)
    return keeper


def _end_children() -> None:
    """Kill all children, and processes that thereby become our children, until there are none."""
    if watch.is_elsewhere():
        return
    own = os.getpgrp()
    with contextlib.suppress(ChildProcessError):
        for _ in range(_PATIENCE):
            for pid in watch.children_of("self"):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    group = os.getpgid(pid)
                    if group != own:
                        os.killpg(group, signal.SIGKILL)  # all at once, so that none forks meanwhile
                    os.kill(pid, signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            select.poll().poll(_TICK)


def wait_for(inner: int) -> NoReturn:
    """Wait for a child, and end in the same way."""
    _hold_nothing()
    _, status = os.waitpid(inner, 0)
    _end_as(status)


def _hold_nothing() -> None:
    """Close every descriptor whose end others wait for: all but ``stderr``."""
    for standard in (0, 1):
        with contextlib.suppress(OSError):
            os.close(standard)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _end_as(status: int) -> NoReturn:
    """End as a child has, by its status of :func:`os.waitpid`."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
