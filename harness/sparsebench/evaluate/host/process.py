"""A submission's process for the harness: its number, its pipes, and its end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sparsebench.evaluate.child.watch import pid_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

__all__ = ["Cold", "End", "Forked", "Process"]

_KILLED = -9


@dataclass(frozen=True)
class End:
    """The end of a process."""

    code: int
    """Its exit code; negative for a signal, as :class:`subprocess.Popen` has it."""
    why: str | None = None
    """Why it was killed on our side: ``memory``, ``files``, or ``parent`` where its warm parent died."""
    seconds: float = 0.0
    """Seconds of processor time that it took, as far as that is known."""


class Process(Protocol):
    """A submission's process."""

    @property
    def pid(self) -> int:
        """Its number here; 0 if it has ended."""
        ...

    def kill(self) -> None:
        """Kill it, and everything that it has started."""
        ...

    def poll(self) -> End | None:
        """Return how it ended; None while it runs."""
        ...

    def wait(self) -> End:
        """Wait until nothing is left of it."""
        ...


class Forked:
    """A process that a warm parent forked.

    Parameters
    ----------
    pidfd
        A descriptor of the process, since numbers of processes differ between namespaces.
    status
        Where its parent reports how it ended.
    at_end
        Called after its end.
    """

    def __init__(self, pidfd: int, status: int, at_end: Callable[[], None] | None = None) -> None:
        self.pid = pid_of(pidfd)
        self._pidfd, self._status, self._at_end = pidfd, status, at_end
        self._end: End | None = None

    def kill(self) -> None:
        """Kill it: nothing survives of its own PID namespace, and otherwise its parent kills the rest."""
        if self._end is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def poll(self) -> End | None:
        """Return how it ended; None while it runs."""
        if self._end is None:
            told = select.poll()  # select accepts no descriptors beyond 1,023
            told.register(self._status, select.POLLIN | select.POLLHUP)
            told.register(self._pidfd, select.POLLIN)  # it has ended: its parent reports soon
            return self.wait() if told.poll(0) else None
        return self._end

    def wait(self) -> End:
        """Wait until nothing is left of it."""
        if self._end is None:
            told = os.read(self._status, 1 << 10)
            self._end = End(**json.loads(told)) if told else End(_KILLED, "parent")
            os.close(self._status)
            os.close(self._pidfd)
            if self._at_end:
                self._at_end()
        return self._end


class Cold:
    """A process that was started directly, without warm parents."""

    def __init__(self, process: subprocess.Popen[Any]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def kill(self) -> None:
        """Kill its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: for a group of zombies
            os.killpg(self._process.pid, signal.SIGKILL)

    def poll(self) -> End | None:
        """Return how it ended; None while it runs."""
        code = self._process.poll()
        return None if code is None else End(code)

    def wait(self) -> End:
        """Wait until it has ended."""
        return End(self._process.wait())
