"""Two processes that take turns stay on one core for a while."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import subprocess
import sys

import pytest

from sparsebench.evaluate.host.placement import on_one_core, share_cores

needs_cores = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs a system that places processes, and two cores",
)


@pytest.fixture
def other():
    """A process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@needs_cores
def test_both_are_on_one_core_and_this_one_is_free_again_afterwards(other):
    before = os.sched_getaffinity(0)
    with on_one_core(other.pid):
        (core,) = os.sched_getaffinity(0)
        assert core in before
        assert os.sched_getaffinity(other.pid) == {core}
    assert os.sched_getaffinity(0) == before


@needs_cores
def test_an_error_inside_frees_it_as_well(other):
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), on_one_core(other.pid):
        raise KeyError
    assert os.sched_getaffinity(0) == before


@needs_cores
def test_a_process_that_is_gone_is_no_error(other):
    other.kill()
    other.wait()
    before = os.sched_getaffinity(0)
    with on_one_core(other.pid):
        assert os.sched_getaffinity(0) == before
    assert os.sched_getaffinity(0) == before


@pytest.fixture
def shared():
    """The locks of an evaluation's workers; this process plays all of them."""
    locks = [multiprocessing.Lock() for _ in os.sched_getaffinity(0)]
    share_cores(locks)
    yield locks
    share_cores([])


def free(locks):
    """How many cores have no pass on them."""
    taken = [lock for lock in locks if lock.acquire(block=False)]
    for lock in taken:
        lock.release()
    return len(taken)


@needs_cores
def test_passes_of_several_workers_are_on_different_cores_as_long_as_there_are_any(other, shared):
    cores = os.sched_getaffinity(0)
    with contextlib.ExitStack() as passes:
        taken = []
        for _ in cores:
            passes.enter_context(on_one_core(other.pid))
            taken += os.sched_getaffinity(0)
        assert sorted(taken) == sorted(cores)
        assert free(shared) == 0
        with on_one_core(other.pid):  # one more than there are cores: it shares one
            assert os.sched_getaffinity(0) < cores
    assert free(shared) == len(cores)
    assert os.sched_getaffinity(0) == cores


@needs_cores
def test_a_core_is_free_again_after_an_error(other, shared):
    with pytest.raises(KeyError), on_one_core(other.pid):
        raise KeyError
    assert free(shared) == len(shared)


def test_where_nothing_can_be_placed_nothing_is(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with on_one_core(0) as nothing:
        assert nothing is None
