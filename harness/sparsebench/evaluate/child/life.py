"""The life of a submission's process, from the fork to its end: first the walls, then the requests."""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from sparsebench.evaluate.child import walls
from sparsebench.evaluate.child.child import Worker
from sparsebench.meter.wire import Pipe

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["alone", "live"]

_STANDARD = (0, 1, 2)
_FAULT = 70  # the exit code of a process whose own code of ours failed


def live(
    prepared: Any, plan: walls.Plan, reads: int, writes: int, canaries_of: int | None = None
) -> NoReturn:
    """Run as a submission's process, and never return. A process that a warm parent has forked calls this.

    Its first frame says that its walls are up, or why not; no code of a stranger has run yet.

    Parameters
    ----------
    prepared
        The parent's preparation of the walls.
    plan
        The walls.
    reads, writes
        Descriptors of its pipes.
    canaries_of
        The number of its parent, if it is a throw-away process that tests its walls; else None.
    """
    code = _FAULT
    try:
        _serve(prepared, plan, Pipe(reads, writes), {reads, writes}, canaries_of)
        code = 0
    finally:
        os._exit(code)  # nothing of the parent must be cleaned up here


def _serve(prepared: Any, plan: walls.Plan, pipe: Pipe, kept: set[int], canaries_of: int | None) -> None:
    highest = os.sysconf("SC_OPEN_MAX")  # it is lower behind the walls
    os.environ.update(
        HOME=str(plan.work), TMPDIR=str(plan.work), LOGNAME="submission"
    )  # its user has no name
    os.chdir(plan.work)
    try:
        held = walls.put_up(prepared, plan)
    except (OSError, walls.WallError) as error:
        pipe.send({"walls": None, "text": f"{type(error).__name__}: {error}"})
        return
    _close_all_but({*_STANDARD, *kept, *held}, highest)
    _open_standard()
    np.random.seed(int.from_bytes(os.urandom(4), "little"))  # noqa: NPY002 - forks have one state in common
    if canaries_of is not None:
        pipe.send({"walls": plan.level, "canaries": walls.canaries(plan, parent_pid=canaries_of)})
        return
    pipe.send({"walls": plan.level, "seconds": time.process_time()})
    Worker(pipe, plan.level).serve()


def _open_standard() -> None:
    """Open the null device anew for standard input and output.

    Flags, locks and signal owners belong to the open file: the parent's next child would find there what this
    one left.
    """
    own = os.open(os.devnull, os.O_RDWR)
    for standard in _STANDARD:
        os.dup2(own, standard)
    if own not in _STANDARD:
        os.close(own)


def _close_all_but(kept: Iterable[int], highest: int) -> None:
    """Close every descriptor of the parent, or of its other children."""
    bounds = [-1, *sorted(kept), highest]
    for low, high in itertools.pairwise(bounds):
        if low + 1 < high:  # for an empty range at 0 Python closes everything
            os.closerange(low + 1, high)


def alone(reads: int, writes: int, plan: walls.Plan) -> None:
    """Run as a submission's process that no warm parent has forked, on systems without them."""
    live(walls.prepare(plan.level), plan, reads, writes)
