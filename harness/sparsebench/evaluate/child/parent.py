"""A warm parent: has imported what runs beside a submission, and forks each process of a cell on request.

It is started by a clean exec (:mod:`sparsebench.evaluate.host.parents`), so its memory holds nothing of the
harness: no task, no row, no submission. It has one thread, runs no code of a stranger, and keeps nothing of
what it is asked. A request comes over its control socket with three descriptors: the ends of the child's
two pipes, and one that the child's end is told on. When the control socket closes, it kills its children and
goes. Where it is killed itself, who keeps it (:mod:`sparsebench.evaluate.child.walls.outer`) ends what it
leaves.
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
"""Descriptors that come with a request: the child's reading end, its writing end, where its end is told."""

_TICK = 100  # milliseconds between two looks at how much the children take
_LINE = 300  # most bytes of the reason why there is no child
_PATIENCE = 200  # ticks that what a child has left behind may take to go


def plan_of(told: dict[str, Any]) -> walls.Plan:
    """Make the plan of a child's walls of what the harness says."""
    paths = {
        "code": Path(told["code"]),
        "work": Path(told["work"]),
        "hidden": tuple(map(Path, told["hidden"])),
    }
    return walls.Plan(**{**told, **paths})


@dataclass
class _Child:
    """A process that was forked here."""

    pid: int
    status: int
    """Where its end is told."""
    watch: watch.Watch
    why: str | None = None
    """Why it was killed, where that was done here."""


class _Born(NamedTuple):
    """What a child is to be: the arguments of :func:`life.live`."""

    prepared: Any
    plan: walls.Plan
    reads: int
    writes: int
    canaries_of: int | None


@dataclass
class _Parent:
    """What a warm parent keeps: its control socket, its walls, and its children by their descriptor."""

    control: socket.socket
    prepared: Any
    keeper: int | None = None
    """Who ends what this one leaves; where that one goes, this one ends all and goes."""
    children: dict[int, _Child] = field(default_factory=dict)

    def serve(self) -> _Born | None:
        """Fork, watch and reap until the harness or keeper goes: None then; in a child, what it is to be."""
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
        """Take what the harness asks for, and the descriptors that come with it; None where it is gone."""
        try:
            message, given, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, DESCRIPTORS)
        except ConnectionError:
            return None
        return (json.loads(message), given) if message else None

    def _fork(self, asked: dict[str, Any], given: list[int]) -> int | _Born | None:
        """Fork a child as the harness asks: its descriptor; None where that cannot be, which is told."""
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
        """Kill a child that takes more than it may."""
        why = child.watch.look()
        if why and not child.why:
            child.why = why
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def _reap(self, pidfd: int) -> None:
        """Tell how a child ended, once nothing is left of it."""
        child = self.children.pop(pidfd)
        os.close(pidfd)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # before its number is free for others
        _, status, used = os.wait4(child.pid, 0)
        self._end_orphans(child.pid)
        code, seconds = os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        told = {"code": code, "why": child.why, "seconds": seconds}
        with contextlib.suppress(BrokenPipeError):
            os.write(child.status, json.dumps(told).encode())
        os.close(child.status)

    def _end_orphans(self, leader: int) -> None:
        """Kill what a child has left. Of a PID namespace of its own all went with it.

        Elsewhere what was orphaned has become a child of this process. Behind walls it is still in the
        session that the child led; without walls it may be in any.
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
    """Import what a submission's process needs on first use, and leave its pages to be shared."""
    for name in ops.__all__:
        getattr(ops, name)  # the modules of primitives are imported when one is first used
    nearest("", ())  # so is what looks for names
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
        What walls the children get, see :data:`sparsebench.evaluate.child.walls.LEVELS`.
    keeper
        Descriptor of who ends what this process leaves, see :func:`sparsebench.evaluate.child.walls.enter`.
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
    del parent  # the frames that knew of other requests are gone
    life.live(*born)
