"""A warm parent for the harness: a clean process that forks submissions' processes in milliseconds."""

from __future__ import annotations

import contextlib
import json
import os
import site
import socket
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import sparsebench
from sparsebench.errors import DisturbedError
from sparsebench.evaluate.host.process import Cold, Forked, Process
from sparsebench.meter.wire import Pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sparsebench.evaluate.child import walls

__all__ = ["SLACK", "WarmParent", "cuda", "start_alone"]

_ANSWER = 120.0  # seconds for an answer: it may still be importing
_END = 10.0  # seconds for its keeper to end what is left
_LINE = 512
_KERNELS = (
    *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "BLIS_ARCH_TYPE"),
    *("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"),
)
_AGAIN = "the machine is short of memory or processes; --resume runs it again"
SLACK = 16 << 20
"""Bytes of a message without its arrays."""

_BOOT = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from sparsebench.evaluate.child import walls
keeper = walls.enter(sys.argv[3])
from sparsebench.evaluate.child.parent import main
main(int(sys.argv[2]), sys.argv[3], keeper)
"""
_BOOT_ALONE = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from sparsebench.evaluate.child import life, parent
life.alone(int(sys.argv[2]), int(sys.argv[3]), parent.plan_of(json.loads(sys.argv[4])))
"""


def _told(plan: walls.Plan) -> dict[str, Any]:
    paths = {"code": str(plan.code), "work": str(plan.work), "hidden": list(map(str, plan.hidden))}
    return {**asdict(plan), **paths}


class WarmParent:
    """A process that forks others. It is started at once, and may still be importing when this returns.

    Parameters
    ----------
    level
        The level of its children's walls.
    environment
        Additions to the environment that every submission's process has.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self, level: str, environment: Mapping[str, str] | None = None) -> None:
        self.level = level
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_ANSWER)
        arguments = [json.dumps(_search_path()), str(theirs.fileno()), level]
        try:
            self._process = _popen(_BOOT, arguments, (theirs.fileno(),), environment or {})
        except BaseException:
            self._control.close()
            raise
        finally:
            theirs.close()

    def fork(
        self,
        plan: walls.Plan,
        *,
        most: int = SLACK,
        try_canaries: bool = False,
        at_end: Callable[[], None] | None = None,
    ) -> tuple[Process, Pipe]:
        """Let it fork a process.

        Parameters
        ----------
        plan
            The walls around it.
        most
            Most bytes to accept from it in one message.
        try_canaries
            Whether the process only tests its walls, and reports.
        at_end
            Called after the end of the process.

        Raises
        ------
        ConnectionError
            If the parent has ended.
        """
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as mine:
            theirs_in, ours_out = _pipe(theirs, mine)
            ours_in, theirs_out = _pipe(mine, theirs)
            told, status = _pipe(mine, theirs)
            request = {"plan": _told(plan), "canaries": try_canaries}
            pidfd = self._ask(request, (theirs_in, theirs_out, status))
            mine.callback(os.close, pidfd)
            made = Forked(pidfd, told, at_end), Pipe(ours_in, ours_out, limit=most)
            mine.pop_all()  # the process and the pipe close them
        return made

    def _ask(self, request: dict[str, Any], descriptors: tuple[int, ...]) -> int:
        with self._lock:
            try:
                socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)
                answer, given, _, _ = socket.recv_fds(self._control, _LINE, 1)
            except BaseException:  # the answer may still come, and would reach the next request
                self._control.close()
                raise
        if not answer:
            raise ConnectionResetError("the warm parent is gone")
        if not given:
            raise DisturbedError(f"no process could be forked: {answer.decode()}", help=_AGAIN)
        return given[0]

    def forget(self) -> None:
        """Leave it to the process from which this one was forked."""
        self._control.close()
        self._process.returncode = 0  # this process must not wait for it

    def close(self) -> None:
        """Let it end its children and exit, and wait for that."""
        self._control.close()
        try:
            self._process.wait(_ANSWER)
        except subprocess.TimeoutExpired:  # it is stuck: its keeper kills it, and what it leaves
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END)
            self._process.kill()  # no effect, if it has ended
            self._process.wait()


def start_alone(plan: walls.Plan, *, most: int) -> tuple[Process, Pipe]:
    """Start a submission's process directly, without warm parents.

    Parameters
    ----------
    plan, most
        As for :meth:`WarmParent.fork`.
    """
    with contextlib.ExitStack() as theirs, contextlib.ExitStack() as mine:
        theirs_in, ours_out = _pipe(theirs, mine)
        ours_in, theirs_out = _pipe(mine, theirs)
        arguments = [json.dumps(_search_path()), str(theirs_in), str(theirs_out), json.dumps(_told(plan))]
        process = _popen(_BOOT_ALONE, arguments, (theirs_in, theirs_out), cuda() if plan.gpu else {})
        made = Cold(process), Pipe(ours_in, ours_out, limit=most)
        mine.pop_all()
    return made


def _pipe(reader: contextlib.ExitStack, writer: contextlib.ExitStack) -> tuple[int, int]:
    """Make a pipe whose ends their users close."""
    reading, writing = os.pipe()
    reader.callback(os.close, reading)
    writer.callback(os.close, writing)
    return reading, writing


def _popen(
    boot: str, arguments: list[str], descriptors: tuple[int, ...], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    """Start one of our modules in a clean environment, in a new session."""
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-I", "-B", "-c", boot, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=descriptors,
        env={**_environment(), **environment},
        start_new_session=True,
    )


def _search_path() -> list[str]:
    """Return this process's search path for modules, without the folder in which it was started.

    The child's Python ignores the environment and the user's packages; this restores what was found.
    """
    here = {Path.cwd(), Path(sys.argv[0]).absolute().parent}
    # A program may lie among the packages, such as the one that starts a notebook's kernel.
    installed = {Path(module.__file__ or "").parent.parent for module in (np, sparsebench)}
    installed |= {Path(folder) for folder in (*site.getsitepackages(), site.getusersitepackages())}
    return [entry for entry in sys.path if entry and Path(entry).absolute() not in here - installed]


def cuda() -> dict[str, str]:
    """Return the variables that say where CUDA's libraries are, and which GPU to use."""
    names = ("LD_LIBRARY_PATH", "CUDA_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
    return {name: os.environ[name] for name in names if name in os.environ}


def _environment() -> dict[str, str]:
    """Make a clean environment: no secrets, and one thread, so that results do not depend on load.

    Variables that choose kernels of libraries are kept: a fit then rounds as this process does, whose BLAS
    its row names.
    """
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
    )
    path = os.environ.get("PATH", os.defpath)
    kept = {name: os.environ[name] for name in ("COVERAGE_PROCESS_START", *_KERNELS) if name in os.environ}
    return {"PATH": path, "LANG": "C.UTF-8", **threads, **kept}
