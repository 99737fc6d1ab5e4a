"""The walls around a process that runs a stranger's code: system calls in the forked process set them up.

A parent of such processes first calls :func:`enter`, and :func:`prepare` once it has imported what its
children need; then, for each child, :func:`before_fork`, ``os.fork()`` and :func:`after_fork`. The child
calls :func:`put_up` before any code that is not ours. It cannot be undone.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from sparsebench.evaluate.child.walls import landlock, limits, namespaces, outer, powers, seccomp
from sparsebench.evaluate.child.walls.canaries import canaries, describe, required
from sparsebench.evaluate.child.walls.plan import LEVELS, Plan, Prepared
from sparsebench.evaluate.child.walls.system import LINUX, WallError, demand, prctl

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "LEVELS",
    "Plan",
    "Prepared",
    "WallError",
    "after_fork",
    "before_fork",
    "canaries",
    "describe",
    "enter",
    "prepare",
    "put_up",
    "required",
]


def enter(level: str) -> int | None:
    """Continue as the child of a waiting process, if one is needed so that nothing outlives this one.

    At ``isolated`` nothing outlives the first process of a PID namespace. A process that may not make such
    namespaces for its children continues in new user and PID namespaces: one of an ordinary user, or of root
    without capabilities in a container. At the other levels the waiting process ends what this process
    leaves.

    Call it before importing anything else: the process is forked.

    Returns
    -------
    int or None
        A descriptor of the waiting process, if it ends what this one leaves; else None.

    Raises
    ------
    WallError
        If the system allows no such namespaces.
    """
    if not LINUX:
        return None
    if level != "isolated":
        with demand("to be kept"):
            return outer.keep()
    if not namespaces.may_make():
        namespaces.into_own()
    return None


def prepare(level: str) -> Prepared:
    """Prepare to fork walled children. Processes that they leave become children of this process.

    Raises
    ------
    WallError
        If this system cannot provide the level.
    """
    if level not in LEVELS:
        raise WallError(f"level: expected one of {', '.join(LEVELS)}, got {level!r}")
    if not LINUX:
        if level != "none":
            raise WallError(f"{level}: only Linux has these walls")
        return Prepared(level)
    with demand("to prepare"):
        prctl(outer.SUBREAPER, 1)
        powers.last_power()  # it is the same for all children
        namespace = namespaces.processes_of() if level == "isolated" else None
        parent = os.pidfd_open(os.getpid()) if hasattr(os, "pidfd_open") else None
    return Prepared(level, namespace, parent)


def before_fork(prepared: Prepared, plan: Plan) -> None:
    """Prepare for the next child; at ``isolated`` it becomes the first process of a new PID namespace.

    Raises
    ------
    WallError
        If the system allows no such namespaces.
    """
    if plan.level == "none":
        return
    prepared.user = powers.user_of(os.getpid(), prepared.forks)
    prepared.forks += 1
    _readable(prepared, plan.hidden)
    for sealed in (False, True):
        seccomp.compiled(_held(prepared, plan, sealed=sealed))
    if prepared.namespace is not None:
        namespaces.own_processes(prepared.namespace)


def _readable(prepared: Prepared, hidden: Sequence[Path]) -> list[tuple[int, bool]]:
    key = tuple(hidden)
    if key not in prepared.readable:
        _forget_readable(prepared)  # they are many, and a run has one task after another
        prepared.readable[key] = landlock.descriptors(hidden)
    return prepared.readable[key]


def _forget_readable(prepared: Prepared) -> None:
    for descriptor, _ in (one for found in prepared.readable.values() for one in found):
        os.close(descriptor)
    prepared.readable.clear()


def after_fork(prepared: Prepared) -> None:
    """Let new processes be in this process's own PID namespace again."""
    if prepared.namespace is not None:
        namespaces.out_of_processes(prepared.namespace)


def put_up(prepared: Prepared, plan: Plan) -> frozenset[int]:
    """Put up the walls around this process, which has just been forked.

    Returns
    -------
    frozenset
        Descriptors that must stay open to keep the walls.

    Raises
    ------
    WallError
        If any part of the plan is not possible. Nothing may run in the process then.
    """
    if plan.level != prepared.level:
        raise WallError(f"level: prepared for {prepared.level}, asked for {plan.level}")
    if plan.level == "isolated" and os.getpid() != 1:
        raise WallError("isolated: this process is not the first of a PID namespace")
    if LINUX:
        powers.die_with_parent(prepared.parent)
    if plan.level == "none":
        limits.limit_memory(plan.memory, plan.files)
        return frozenset()
    with contextlib.suppress(PermissionError):  # it leads one already
        os.setsid()
    closed = _leave(prepared, plan)
    held = _held(prepared, plan, sealed=closed.files)
    processes = plan.processes
    if not held.processes and prepared.user is None:
        processes += limits.count_processes()  # the user's other processes are counted too
    kept = landlock.restrict(plan, _readable(prepared, plan.hidden), closed)
    _let_go(prepared)
    with demand("limits"):
        limits.limit_memory(plan.memory, plan.files)
        limits.limit_everything(processes, gpu=plan.gpu)
    seccomp.install(os.getpid(), held)
    return frozenset({kept})


def _leave(prepared: Prepared, plan: Plan) -> namespaces.Closed:
    """Become an unprivileged user, in new namespaces if the plan requires them."""
    closed = namespaces.NOTHING
    if plan.level == "isolated":
        closed = namespaces.close_off(plan, prepared.user)
    else:
        with demand(f"{plan.work} for user {prepared.user}"):
            if prepared.user is not None:
                os.chown(plan.work, prepared.user, prepared.user)
            os.chdir(plan.work)
    if prepared.user is not None:
        powers.become(prepared.user)
        powers.die_with_parent(prepared.parent)  # a change of user cancels the signal at the parent's death
    powers.renounce(reading=os.geteuid() == 0 or prepared.user is not None)
    return closed


def _held(prepared: Prepared, plan: Plan, *, sealed: bool) -> seccomp.Held:
    isolated = plan.level == "isolated"
    signals = isolated or landlock.version() >= landlock.SIGNALS_SINCE
    return seccomp.Held(
        processes=isolated,
        signals=signals,
        times=sealed,
        owners=prepared.user is not None,
        lengths=landlock.version() >= landlock.LENGTHS_SINCE,
    )


def _let_go(prepared: Prepared) -> None:
    """Close the descriptors that were needed only to put up the walls."""
    _forget_readable(prepared)
    if prepared.namespace is not None:
        os.close(prepared.namespace)
    prepared.namespace = None
