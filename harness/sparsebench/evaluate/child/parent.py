"""A warm parent: it has imported what a submission's process needs, and forks such processes on request.

It is started by a clean exec (:mod:`sparsebench.evaluate.host.parents`), so its memory holds nothing of the
harness: no task, no row, no submission. It has one thread, runs no code of a stranger, and keeps nothing of
its requests. A request comes over its control socket with three descriptors: the ends of the child's two
pipes, and one on which the child's end is reported. When the control socket closes, it kills its children and
exits. If it is killed itself, its keeper (:mod:`sparsebench.evaluate.child.walls.outer`) ends the processes
that it leaves.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sparsebench import ops
from sparsebench.evaluate.child import life, walls, watch
from sparsebench.ground.meant import nearest

__all__ = ["DESCRIPTORS", "MESSAGE_BYTES", "main", "plan_of"]

MESSAGE_BYTES = 1 << 16
"""Most bytes of a message on the control socket."""

DESCRIPTORS = 3
"""Descriptors that come with a request: the child's reading end, its writing end, and one to report its
end."""

_TICK = 100  # milliseconds between two checks of the children's memory and files
_LINE = 300  # most bytes of the reason why there is no child
_PATIENCE = 200  # most ticks until the orphans of a child have ended


def plan_of(told: dict[str, Any]) -> walls.Plan:
    """Make the plan of a child's walls from the harness's request."""
    paths = {
        "code": Path(told["code"]),
        "work": Path(told["work"]),
        "hidden": tuple(map(Path, told["hidden"])),
    }
    return walls.Plan(**{**told, **paths})


@dataclass
class _Child:
    """A process that this parent forked."""

    pid: int
    status: int
    """The descriptor on which its end is reported."""
    watch: watch.Watch
    why: str | None = None
    """Why it was killed, if this process killed it."""


class _Born(NamedTuple):
    """The arguments of :func:`life.live` for a child."""

    prepared: Any
    plan: walls.Plan
    reads: int
    writes: int
    canaries_of: int | None


@dataclass
class _Parent:
    """The state of a warm parent: its control socket, its walls, and its children by their descriptors."""

    control: socket.socket
    prepared: Any
    keeper: int | None = None
    """The keeper, which ends what this process leaves; if the keeper ends, this process ends everything and
    exits."""
    children: dict[int, _Child] = field(default_factory=dict)

    def serve(self) -> _Born | None:
        """Fork, watch and reap until the harness or keeper ends: None then; in a child, its arguments."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        if self.keeper is not None:
            poll.register(self.keeper, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll(_TICK if self.children else None)}
            if self.keeper in ready:
                return None
            for pidfd in ready & self.children.keys():
                poll.unregister(pidfd)
                self._reap(pidfd)
            for pidfd, child in self.children.items():
                self._look_at(pidfd, child)
            if self.control.fileno() in ready:
                asked = self._request()
                if asked is None:
                    return None
                forked = self._fork(*asked)
                if isinstance(forked, _Born):
                    return forked
                if forked is not None:
                    poll.register(forked, select.POLLIN)

    def _request(self) -> tuple[dict[str, Any], list[int]] | None:
        """Return the harness's request and its descriptors; None if the harness is gone."""
        try:
            message, given, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, DESCRIPTORS)
        except ConnectionError:
            return None
        return (json.loads(message), given) if message else None

    def _fork(self, asked: dict[str, Any], given: list[int]) -> int | _Born | None:
        """Fork a child as requested, and return its descriptor; None if it fails, which is reported."""
        plan = plan_of(asked["plan"])
        try:
            reads, writes, status = given
            walls.before_fork(self.prepared, plan)
            this = os.getpid() if asked["canaries"] else None
            pid = os.fork()
            if pid == 0:
                return _Born(self.prepared, plan, reads, writes, this)
            walls.after_fork(self.prepared)
            pidfd = os.pidfd_open(pid)
        except (OSError, ValueError, walls.WallError) as error:
            for descriptor in given:
                os.close(descriptor)
            self.control.send(f"{type(error).__name__}: {error}".encode()[:_LINE])
            return None
        os.close(reads)
        os.close(writes)
        self.children[pidfd] = _Child(pid, status, watch.Watch(pidfd, plan))
        socket.send_fds(self.control, [b"forked"], [pidfd])
        return pidfd

    def _look_at(self, pidfd: int, child: _Child) -> None:
        """Kill a child that exceeds its limits."""
        why = child.watch.look()
        if why and not child.why:
            child.why = why
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def _reap(self, pidfd: int) -> None:
        """Report how a child ended, once nothing is left of it."""
        child = self.children.pop(pidfd)
        os.close(pidfd)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # before its number can be reused
        _, status, used = os.wait4(child.pid, 0)
        self._end_orphans(child.pid)
        code, seconds = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        told = {"code": code, "why": child.why, "seconds": seconds}
        with contextlib.suppress(BrokenPipeError):
            os.write(child.status, json.dumps(told).encode())
        os.close(child.status)

    def _end_orphans(self, leader: int) -> None:
        """Kill the processes that a child has left. Those of its own PID namespace ended with it.

        Otherwise orphans have become children of this process. Behind walls they are still in the session
        that the child led; without walls they may be in any session.
        """
        for _ in range(_PATIENCE):
            orphans = self._orphans(leader)
            if not orphans:
                return
            for orphan in orphans:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(orphan, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(orphan, os.WNOHANG)
            select.poll().poll(_TICK // 10)

    def _orphans(self, leader: int) -> set[int]:
        if watch.is_elsewhere():
            return set()  # every child is the first of its PID namespace, and leaves none
        found = set(watch.children_of("self")) - {child.pid for child in self.children.values()}
        if self.prepared.level == "none":
            return found
        return {pid for pid in found if watch.session_of(pid) == leader}

    def end(self) -> None:
        """Kill all children, and wait for them."""
        for pidfd, child in self.children.items():
            child.why = child.why or "parent"
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        for pidfd in list(self.children):
            self._reap(pidfd)


def _warm_up() -> None:
    """Import what a submission's process needs on first use, so that its pages are shared."""
    for name in ops.__all__:
        getattr(ops, name)  # the modules of primitives, which are imported when one is first used
    nearest("", ())  # and likewise the module that looks for names
    np.random.default_rng()
    gc.collect()
    gc.freeze()


def main(control: int, level: str, keeper: int | None = None) -> None:
    """Serve on a control socket.

    Parameters
    ----------
    control
        Descriptor of a ``SOCK_SEQPACKET`` socket.
    level
        The level of the children's walls, see :data:`sparsebench.evaluate.child.walls.LEVELS`.
    keeper
        Descriptor of the keeper, which ends what this process leaves, see
        :func:`sparsebench.evaluate.child.walls.enter`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.chdir("/")
    _warm_up()
    parent = _Parent(socket.socket(fileno=control), walls.prepare(level), keeper)
    try:
        born = parent.serve()
    except BaseException:
        parent.end()
        raise
    if born is None:
        parent.end()
        return
    del parent  # the frames that held other requests are gone
    life.live(*born)
