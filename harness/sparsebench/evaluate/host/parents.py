"""The warm parents of this process, from which submissions' processes are started.

Every process that runs cells has at least two of them, which fork a cell's processes in turn. Forks of one
parent have the same hash seed and addresses; a prediction that depends on either differs between passes whose
processes come from two parents, and the audits detect it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import json
import multiprocessing.util
import os
import sys
import threading
from typing import TYPE_CHECKING

from sparsebench.errors import DisturbedError, SandboxError
from sparsebench.evaluate.child import walls
from sparsebench.evaluate.host.levels import Measured, measure
from sparsebench.evaluate.host.warm import WarmParent, cuda, start_alone
from sparsebench.ground.replacing import write_first
from sparsebench.models import is_shipped

if TYPE_CHECKING:
    from pathlib import Path

    from sparsebench.evaluate.host.process import Process
    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.meter.wire import Pipe

__all__ = ["agree_in", "demand_sandbox", "measured", "pass_turn", "start"]

_PARENTS = 2
_TRIES = 3


class _Parents:
    """The warm parents of this process."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._turn = itertools.count()
        self._lock = threading.Lock()
        agreed = _read(_AGREED[-1]) if _AGREED else None
        self._parents: list[WarmParent] = []
        if agreed is None:
            found, self._parents = measure(_PARENTS)
            agreed = _agree(_AGREED[-1], found) if _AGREED else found
        self.measured = agreed
        if {parent.level for parent in self._parents} != {
            agreed.level
        }:  # none, or parents of the level that only this process has measured
            self.close()
            self._parents = [WarmParent(agreed.level) for _ in range(_PARENTS)]

    def fork(self, plan: walls.Plan, *, most: int) -> tuple[Process, Pipe]:
        """Let the next parent in turn fork a process; if it is dead, let a new one do it."""
        place = next(self._turn) % _PARENTS
        with self._lock:
            parent = self._parents[place]
        for _ in range(_TRIES):
            try:
                return parent.fork(plan, most=most)
            except OSError:  # it has ended, or does not answer
                parent.close()
                with self._lock:
                    self._parents[place] = parent = WarmParent(parent.level)
        raise DisturbedError(
            "the processes that start submissions' are killed", help="run it again with --resume"
        )

    def pass_turn(self) -> None:
        """Skip the next parent in turn."""
        next(self._turn)

    def forget(self) -> None:
        """Leave the parents to the process from which this one was forked."""
        for parent in self._parents:
            parent.forget()

    def close(self) -> None:
        """End the parents."""
        for parent in self._parents:
            parent.close()


_AGREED: list[Path] = []  # the file in which the workers of a run agree on the level
_MINE: list[_Parents] = []
_MAKING = threading.Lock()


def _parents() -> _Parents:
    """Return the warm parents of this process; they are started when they are first asked for."""
    with _MAKING:
        if not _MINE:
            _MINE.append(_Parents())
            multiprocessing.util.Finalize(None, _end, exitpriority=0)  # a pool's workers leave without atexit
        return _MINE[0]


def _end() -> None:
    while _MINE:
        _MINE.pop().close()


def _forget() -> None:
    """Start anew in a fork: the parents serve the process that started them."""
    global _MAKING  # noqa: PLW0603 - somebody may have held it at the fork
    _MAKING = threading.Lock()
    while _MINE:
        _MINE.pop().forget()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def measured() -> Measured:
    """Return the walls that hold on this system, measured once in a process, or in a run (:func:`agree_in`).

    Raises
    ------
    SandboxError
        If the environment asks for a level that there is not.
    """
    if not _has_warm_parents():
        return Measured("none", {"none": {}}, {"restricted": f"there are no walls on {sys.platform}"})
    return _parents().measured


def agree_in(file: Path) -> None:
    """Let this process rely on the measurement of the first of a run's workers.

    So all rows of a run have one level, even if a trial fails by chance. If the walls cannot be put up here,
    the cell ends with ``DisturbedError``.

    Parameters
    ----------
    file
        Where the first worker writes it, in a folder of the run. It need not exist yet.
    """
    _AGREED.append(file)


def _agree(file: Path, found: Measured) -> Measured:
    """Write this process's measurement, unless another process was first; return the one that counts."""
    write_first(file, json.dumps([found.level, found.canaries, found.reasons]).encode())
    return _read(file) or found


def _read(file: Path) -> Measured | None:
    try:
        return Measured(*json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


@functools.cache
def _has_warm_parents() -> bool:
    """Return whether processes can be forked and identified as required: Linux 5.3 and later."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    with contextlib.suppress(OSError):
        os.close(os.pidfd_open(os.getpid()))
        return True
    return False


def demand_sandbox(cell: Cell, limits: Limits) -> None:
    """Check that the walls are strong enough.

    Without walls, shipped submissions are still run: their hashes are known.

    Raises
    ------
    SandboxError
        If they are weaker than the limits require, or there are none and a stranger's code would run.
    """
    level = measured().level
    if walls.LEVELS.index(level) < walls.LEVELS.index(limits.require_sandbox):
        message = f"expected a sandbox of level {limits.require_sandbox}, got {level}"
        raise SandboxError(message, help="`sparsebench doctor` says what would raise it")
    if level == "none" and not limits.unsafe and not is_shipped(cell.submission, cell.submission_hash):
        why = "; ".join(measured().reasons.values())
        message = f"{cell.submission}: nothing holds a submission's code on this system"
        message += f" ({why})" if why else ""
        mend = "`sparsebench doctor` says why; --unsafe-no-sandbox runs it, and marks its rows"
        raise SandboxError(message, help=mend)


def pass_turn() -> None:
    """Let the next process come from another parent.

    A cell has an even number of processes: otherwise each process of a second run would come from the same
    parent as in the first, with the same hash seed.
    """
    if _has_warm_parents():
        _parents().pass_turn()


def start(plan: walls.Plan, *, most: int) -> tuple[Process, Pipe]:
    """Start a submission's process.

    Parameters
    ----------
    plan
        The walls around it. With ``gpu`` it comes from a parent of its own, which knows where CUDA is and
        ends with it: a process must not fork once CUDA has run in it.
    most
        Most bytes to accept from it in one message.

    Raises
    ------
    SandboxError
        If the environment asks for a level that there is not.
    OSError
        If it cannot be started.
    """
    if not _has_warm_parents():
        return start_alone(plan, most=most)
    if not plan.gpu:
        return _parents().fork(plan, most=most)
    parent = WarmParent(plan.level, cuda())
    try:
        return parent.fork(plan, most=most, at_end=parent.close)
    except BaseException:
        parent.close()
        raise
