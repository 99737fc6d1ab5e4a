"""Threads of the fast backends: chunks, forks, and several callers at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from sparsebench import ops
from sparsebench.ops import backends
from sparsebench.ops.cpu import pool

FORKING = """
import itertools
import os
import numpy as np
from sparsebench.ops import backends, jit
from sparsebench.ops.hashing import definition as hashing
from sparsebench.ops.prototype import definition as prototype
jit.WORTH = 0
x = np.random.default_rng(0).standard_normal((40_000, 16)).astype(np.float32)
policies = ["numpy", "numba"] if backends.has_numba() else ["numpy"]
def use():
    made = []
    for policy in policies:
        with backends.use(policy):
            made += [hashing.hyperplane_hash(x, x[:12]), prototype.nearest_prototype(x[:2000], x[:99])]
    return made
before = use()
child = os.fork()
if not child:
    os._exit(0 if all(map(np.array_equal, before, use())) else 3)
_, status = os.waitpid(child, 0)
assert all(map(np.array_equal, before, use()))
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_goes_on():
    environment = {**os.environ, "SPARSEBENCH_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING],
        timeout=120,
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_several_callers_at_once(monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "2")
    before = blas_threads()
    x = np.random.default_rng(15).standard_normal((20_000, 16)).astype(np.float32)
    want = ops.hyperplane_hash.reference(x, x[:9])
    wrong = []

    def call():
        for _ in range(20):
            for policy in ("numpy", "auto"):
                with backends.use(policy):
                    if (ops.hyperplane_hash(x, x[:9]) != want).mean() > 1e-3:
                        wrong.append(policy)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong
    assert set(blas_threads()) == set(before)  # Numba may have loaded another BLAS meanwhile


def test_chunks():
    assert list(pool.chunks(0, 4)) == []
    assert list(pool.chunks(9, 4)) == [(0, 4), (4, 8), (8, 9)]


def test_pool_calls_every_range_once_and_may_be_used_inside(monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "3")
    called = np.zeros(100, dtype=int)

    def inner(start, stop):
        called[start:stop] += 1

    pool.run(
        lambda start, stop: pool.run(inner, ((i, i + 1) for i in range(start, stop))), pool.chunks(100, 7)
    )
    assert (called == 1).all()


def test_pool_hands_over_what_was_raised_and_the_error_state(monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "2")
    before = blas_threads()

    def fail(start, stop):
        if start == 50:
            raise RuntimeError("no such row")

    with pytest.raises(RuntimeError, match="no such row"):
        pool.run(fail, pool.chunks(100, 10))
    assert blas_threads() == before
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        pool.run(lambda start, stop: np.ones(stop - start) / 0.0, pool.chunks(100, 10))
    with np.errstate(divide="ignore"):
        pool.run(lambda start, stop: np.ones(stop - start) / 0.0, pool.chunks(100, 10))
