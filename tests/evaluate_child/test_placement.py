"""Two processes that take turns stay on one core for a while."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sparsebench.evaluate.host.placement import on_one_core

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


def test_where_nothing_can_be_placed_nothing_is(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with on_one_core(0) as nothing:
        assert nothing is None
