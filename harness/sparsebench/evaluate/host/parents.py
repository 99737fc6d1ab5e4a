"""The warm parents of this process, and what a submission's process is started from.

Every process that runs cells has two of them at least, which serve a cell's processes in turns. Forks of one
parent have their hash seed and their addresses in common; a prediction that depends on either differs between
passes whose processes come from two parents, and the audits see it.
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
        }:  # none, or of what only we have found
            self.close()
            self._parents = [WarmParent(agreed.level) for _ in range(_PARENTS)]

    def fork(self, plan: walls.Plan, *, most: int) -> tuple[Process, Pipe]:
        """Have the next one in turn fork a process; a new one, where that is dead."""
        place = next(self._turn) % _PARENTS
        with self._lock:
            parent = self._parents[place]
        for _ in range(_TRIES):
            try:
                return parent.fork(plan, most=most)
            except OSError:  # it is gone, or does not answer
                parent.close()
                with self._lock:
                    self._parents[place] = parent = WarmParent(parent.level)
        raise DisturbedError(
            "the processes that start submissions' are killed", help="run it again with --resume"
        )

    def pass_turn(self) -> None:
        """Leave out the next one in turn."""
        next(self._turn)

    def forget(self) -> None:
        """Leave them to the process that this one was forked from."""
        for parent in self._parents:
            parent.forget()

    def close(self) -> None:
        """End them."""
        for parent in self._parents:
            parent.close()


_AGREED: list[Path] = []  # the file in which the workers of a run say what holds
_MINE: list[_Parents] = []
_MAKING = threading.Lock()


def _parents() -> _Parents:
    """Give the warm parents of this process; they are started when they are first asked for."""
    with _MAKING:
        if not _MINE:
            _MINE.append(_Parents())
            multiprocessing.util.Finalize(None, _end, exitpriority=0)  # a pool's workers leave without atexit
        return _MINE[0]


def _end() -> None:
    while _MINE:
        _MINE.pop().close()


def _forget() -> None:
    """Start afresh in a fork: the parents serve the process that started them."""
    global _MAKING  # noqa: PLW0603 - somebody may have held it at the fork
    _MAKING = threading.Lock()
    while _MINE:
        _MINE.pop().forget()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def measured() -> Measured:
    """Say what walls hold on this system. Measured once in a process, unless others have (:func:`agree_in`).

    Raises
    ------
    SandboxError
        If the environment asks for a level that there is not.
    """
    if not _has_warm_parents():
        return Measured("none", {"none": {}}, {"restricted": f"there are no walls on {sys.platform}"})
    return _parents().measured


def agree_in(file: Path) -> None:
    """Have this process rely on what the first of a run's workers has measured.

    So all rows of a run are of one level, also where a trial fails by chance. Where the walls cannot be put
    up here all the same, the cell ends with ``DisturbedError``.

    Parameters
    ----------
    file
        Where the first one says it, in a folder of the run's own. It need not be there yet.
    """
    _AGREED.append(file)


def _agree(file: Path, found: Measured) -> Measured:
    """Say what this process has found, unless another one was first: then give what that one has."""
    write_first(file, json.dumps([found.level, found.canaries, found.reasons]).encode())
    return _read(file) or found


def _read(file: Path) -> Measured | None:
    try:
        return Measured(*json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


@functools.cache
def _has_warm_parents() -> bool:
    """Whether processes can be forked and named as we need it: Linux 5.3 and later."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    with contextlib.suppress(OSError):
        os.close(os.pidfd_open(os.getpid()))
        return True
    return False


def demand_sandbox(cell: Cell, limits: Limits) -> None:
    """Insist on walls that are strong enough.

    Where there are none, what comes with sparsebench is run all the same: its hash is known.

    Raises
    ------
    SandboxError
        If they are weaker than the limits ask for, or there are none and a stranger's code would run.
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
    """Have the next process come from another parent than it would.

    A cell has an even number of processes: of two runs of it, each would else come from the same parent, and
    with the hash seed of the other.
    """
    if _has_warm_parents():
        _parents().pass_turn()


def start(plan: walls.Plan, *, most: int) -> tuple[Process, Pipe]:
    """Start a submission's process.

    Parameters
    ----------
    plan
        The walls around it. With ``gpu`` it comes from a parent of its own, which knows where CUDA is and
        goes with it: CUDA and forks do not mix, once CUDA has run.
    most
        Most bytes to take from it in one message.

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
