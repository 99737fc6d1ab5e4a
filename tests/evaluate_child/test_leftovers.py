"""What is left of a submission where its warm parent, or who keeps that, is killed: nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from evaluate import tiny
from sparsebench.errors import CellError
from sparsebench.evaluate.child import walls
from sparsebench.evaluate.host import levels, parents, warm
from sparsebench.evaluate.host.session import Session
from sparsebench.evaluate.plan import Limits
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TASK = load_task("memorization@1")
PATIENCE = 20.0
# A child that waits, with a child of its own, and an orphan, as a daemon where a session may be started. All
# of them hold the ends of the submission's pipes.
FAMILY = """
    reading, writing = os.pipe()
    for daemon in (False, True):
        if not os.fork():
            if daemon:
                try:
                    os.setsid()
                except OSError:
                    pass
            if os.fork() and daemon:
                os._exit(0)
            os.write(writing, b"x")
            time.sleep(600)
    for _ in range(3):
        os.read(reading, 1)
    return {"w": rng.normal(size=4), "b": np.zeros(1)}
"""


@pytest.fixture(params=["none", "restricted", "isolated"])
def level(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Each level that there is here, with warm parents of its own."""
    best, wanted = parents.measured().level, str(request.param)
    if walls.LEVELS.index(best) < walls.LEVELS.index(wanted):
        pytest.skip(f"{wanted} does not hold here: sparsebench doctor says why")
    parents._end()
    monkeypatch.setattr(parents, "_AGREED", [tmp_path / "walls.json"])
    parents._agree(tmp_path / "walls.json", levels.Measured(wanted, {wanted: {}}, {}))
    yield wanted
    parents._end()


def family_of(opened: Session) -> list[psutil.Process]:
    """Give the outermost process that was started for a session's, and all below it."""
    for parent in parents._parents()._parents:
        top = psutil.Process(parent._process.pid)
        below = top.children(recursive=True)
        if opened.pid in {one.pid for one in below}:
            return [top, *below]
    raise AssertionError("it comes from no warm parent")


def outermost(opened: Session) -> psutil.Process:
    return family_of(opened)[0]


def forking(opened: Session) -> psutil.Process:
    """Give the warm parent itself: below who waits for it, where somebody does."""
    found = psutil.Process(opened.pid).parent()
    assert found is not None
    return found


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def within_patience(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str) -> Iterator[Session]:
    """A submission's process that has left some."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cell = tiny.cell_of(tiny.write(tmp_path / "sub", tiny.plain(fit=FAMILY)))
    with Session(cell, TASK.info["n256-r4"], Limits(seconds=600)) as opened:
        assert opened.sandbox == level
        opened.fit(TASK.load("n256-r4"), [1])
        assert {outermost(opened), forking(opened), psutil.Process(opened.pid)} <= {*family_of(opened)}
        assert len(psutil.Process(opened.pid).children()) + len(forking(opened).children()) >= 3
        yield opened


@pytest.mark.parametrize("victim", [forking, outermost])
def test_nothing_outlives_a_warm_parent_that_is_killed(
    opened: Session, victim: Callable[[Session], psutil.Process]
) -> None:
    family = family_of(opened)
    victim(opened).kill()
    assert within_patience(lambda: not alive(family)), alive(family)
    with pytest.raises(CellError, match="was killed"):
        opened.fit(TASK.load("n256-r4"), [1])


def test_nothing_outlives_a_warm_parent_that_is_stuck(
    opened: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "_ANSWER", 1.0)
    monkeypatch.setattr(warm, "_END", 3.0)
    family = family_of(opened)
    forking(opened).suspend()
    parents._end()
    assert within_patience(lambda: not alive(family)), alive(family)


def test_who_comes_too_late_to_die_with_its_parent_is_told() -> None:
    code = """
import os
from sparsebench.evaluate.child.walls import WallError, powers
pid = os.fork()
if not pid:
    os._exit(0)
parent = os.pidfd_open(pid)
powers.die_with_parent(os.pidfd_open(os.getpid()))
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
try:
    powers.die_with_parent(parent)
except WallError as error:
    print(error)
"""
    if not parents._has_warm_parents():
        pytest.skip("no descriptors of processes here")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "to die with the parent: it is gone\n"
