"""Ceilings: the best of several runs, by a clock that is told the time."""

from __future__ import annotations

import itertools

from sparsebench.timing import Ceilings, HostClock, ceilings, cpu_place, gpu_missing, measure_ceilings
from sparsebench.timing.place import cache_bytes


def test_the_best_of_all_ways_counts():
    told = iter([3.0, 5.0, 2.0, 4.0])

    class Told:
        def seconds(self, call):
            call()
            return next(told)

    ran = []
    best = ceilings._best(Told(), 2, lambda: ran.append("a"), lambda: ran.append("b"))
    assert best == 2.0
    assert ran == ["a", "b", "a", "b", "a", "b"], "each is called once before it is timed"


def test_a_processor_has_all_of_them(monkeypatch):
    monkeypatch.setattr(ceilings, "_BYTES", {True: 1 << 20})
    monkeypatch.setattr(ceilings, "_SIDE", {True: 64})
    now = itertools.count()
    found = measure_ceilings(HostClock(now=lambda: float(next(now))), quick=True)
    assert (found.read, found.copy, found.gathers) == (2**20, 2**21, 2**15), "a call takes one second"
    assert found.operations == {"float32": 2 * 64**3, "float64": 2 * 64**3}
    assert found.bandwidth == found.copy


def test_the_higher_of_two_measurements():
    first = Ceilings(1.0, 5.0, 3.0, {"float32": 2.0, "float64": 1.0})
    other = Ceilings(2.0, 4.0, 1.0, {"float32": 1.0, "float16": 9.0})
    both = Ceilings(2.0, 5.0, 3.0, {"float32": 2.0, "float64": 1.0, "float16": 9.0})
    assert first.raised(other) == other.raised(first) == both


def test_a_place_has_its_ceilings_and_flushes(monkeypatch):
    made = Ceilings(1.0, 2.0, 3.0)
    monkeypatch.setattr("sparsebench.timing.place.measure_ceilings", lambda clock, quick: made)
    place = cpu_place("mine", quick=True)
    assert (place.name, place.gpu, place.ceilings) == ("mine", False, made)
    assert place.threads >= 1
    place.flush()
    assert place.put("text") == "text"


def test_caches_that_processors_share_count_once(tmp_path):
    caches = [("cpu0", "index0", "32K", "0"), ("cpu1", "index0", "32K", "1")]
    caches += [(cpu, "index3", "2M", "0-1") for cpu in ("cpu0", "cpu1")]
    for cpu, cache, size, sharing in [*caches, ("cpu1", "index4", "unknown", "1")]:
        folder = tmp_path / cpu / "cache" / cache
        folder.mkdir(parents=True)
        (folder / "size").write_text(f"{size}\n")
        (folder / "shared_cpu_list").write_text(f"{sharing}\n")
    assert cache_bytes(tmp_path) == 2 * (32 << 10) + (2 << 20)
    assert cache_bytes(tmp_path / "none") == 0


def test_why_there_is_no_gpu_is_told_or_nothing():
    assert isinstance(gpu_missing(), str)
