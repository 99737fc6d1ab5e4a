"""A face is timed, and judged by the reference; the clock is told the time."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from sparsebench.timing import WORKLOADS, Ceilings, Effort, HostClock, Place, backends_of, run, time_backend
from timing.picked import PLAIN, ROUTER, SMOOTH, TWO

PLENTY = Ceilings(read=1e18, copy=1e18, gathers=1e18, operations={"float32": 1e18, "float64": 1e18})
EFFORT = Effort(least=3, seconds=0.0)


@pytest.fixture
def place():
    now = itertools.count()
    return Place(
        "a machine",
        gpu=False,
        threads=1,
        clock=HostClock(now=lambda: float(next(now))),
        flush=lambda: None,
        ceilings=PLENTY,
    )


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.primitive)
def test_steady_backends_are_the_reference(place, workload):
    found = time_backend(workload, "steady", place, "float32", EFFORT, rows=64)
    assert (found.status, found.equal, found.reason) == ("ok", True, "")
    assert (found.cold_median, found.warm_median, found.cold_runs, found.warm_runs) == (1.0, 1.0, 3, 3)
    assert (found.primitive, found.face, found.rows) == (workload.primitive, "steady", 64)
    assert found.moved > 0


def test_a_sample_of_rows_is_enough_of_many(place):
    found = time_backend(WORKLOADS[ROUTER], "numpy", place, "float64", EFFORT, rows=3000)
    assert (found.equal, found.difference) == (True, 0.0)


def replaced(monkeypatch, face):
    monkeypatch.setattr(
        run,
        "backend_call",
        lambda primitive, name, real=run.backend_call: face if name == "numpy" else real(primitive, name),
    )


@pytest.mark.parametrize("name", [ROUTER, SMOOTH, TWO])
def test_a_backend_that_differs_in_any_row_is_told(place, monkeypatch, name):
    workload = WORKLOADS[name]

    def wrong(*args, **options):
        made = workload.of.on_numpy_steadily(*args, **options)
        first = made[0] if isinstance(made, tuple) else made
        first[-1] += 1
        return made

    replaced(monkeypatch, wrong)
    found = time_backend(workload, "numpy", place, "float32", EFFORT, rows=50)
    assert not found.equal
    assert found.difference > 1e-5
    assert (found.status, found.reason) == ("differs", f"off by {found.difference:.1e}")


def test_an_answer_that_is_right_only_before_it_is_timed_is_told(place, monkeypatch):
    workload = WORKLOADS[PLAIN]
    calls = itertools.count()

    def tires(x):
        return workload.of.on_numpy_steadily(x) * (next(calls) < run._SETS)

    replaced(monkeypatch, tires)
    found = time_backend(workload, "numpy", place, "float32", EFFORT, rows=50)
    assert (found.status, found.equal) == ("differs", False)


def test_what_differs_and_is_too_fast_is_told_with_both_reasons(place, monkeypatch):
    replaced(monkeypatch, lambda x: x)
    slow = replace(place, ceilings=Ceilings(1.0, 1.0, 1.0))
    found = time_backend(WORKLOADS[PLAIN], "numpy", slow, "float32", EFFORT, rows=50)
    assert found.status == "differs"
    assert found.reason.startswith("off by ")
    assert "faster than possible" in found.reason


def test_a_backend_that_raises_is_a_record_too(place, monkeypatch):
    def breaks(*args, **options):
        raise MemoryError("too much")

    replaced(monkeypatch, breaks)
    found = time_backend(WORKLOADS[PLAIN], "numpy", place, "float32", EFFORT, rows=50)
    assert (found.status, found.reason, found.equal) == ("failed", "MemoryError: too much", False)
    assert found.warm_median is None


def test_a_backend_that_does_not_take_the_arguments_gives_nothing(place, monkeypatch):
    replaced(monkeypatch, lambda *args, **options: NotImplemented)
    assert time_backend(WORKLOADS[PLAIN], "numpy", place, "float32", EFFORT, rows=50) is None
    assert time_backend(WORKLOADS[PLAIN], "cuda", place, "float32", EFFORT, rows=50) is None


def test_nothing_is_faster_than_possible(place):
    slow = Place(
        "slow", gpu=False, threads=1, clock=place.clock, flush=place.flush, ceilings=Ceilings(1.0, 1.0, 1.0)
    )
    found = time_backend(WORKLOADS[PLAIN], "steady", slow, "float32", EFFORT, rows=50)
    assert found.status == "invalid"
    assert "faster than possible" in found.reason
    assert found.equal


def test_ceilings_are_measured_again_before_a_time_is_called_impossible(place):
    asked = []

    def again():
        asked.append(1)
        return PLENTY

    slow = replace(place, ceilings=Ceilings(1.0, 1.0, 1.0), again=again)
    found = time_backend(WORKLOADS[PLAIN], "steady", slow, "float32", EFFORT, rows=50)
    assert (found.status, asked) == ("ok", [1])
    time_backend(WORKLOADS[PLAIN], "steady", replace(place, again=again), "float32", EFFORT, rows=50)
    assert asked == [1], "nothing was wrong"


def test_backends_are_named_slowest_first():
    assert backends_of(WORKLOADS[PLAIN].of) == ("reference", "steady")
    hashes = WORKLOADS[ROUTER].of
    assert backends_of(hashes)[:2] == ("reference", "steady")
    assert "cuda" not in backends_of(hashes)
    assert backends_of(hashes, gpu=True) == ("reference", "cuda")


@pytest.mark.parametrize(
    ("made", "wanted", "near", "far"),
    [
        ([1, 2], [1, 2], True, 0.0),
        ([1, 5], [1, 2], False, 3.0),
        ([3.0, 4.0], [3.0, 4.0], True, 0.0),
        ([3.0, 4.5], [3.0, 4.0], False, 0.1),
        ([3.0, np.nan], [3.0, 4.0], False, np.inf),
        ([3.0], [3.0, 4.0], False, np.inf),
        ([0.0], [0.0], True, 0.0),
    ],
)
def test_differences(made, wanted, near, far):
    got = run.difference(np.asarray(made), np.asarray(wanted), "float32")
    assert got == (near, pytest.approx(far))
