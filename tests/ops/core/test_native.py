"""Limits on the threads of native libraries: kept for whoever asks, and set back, whatever else goes on."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np  # noqa: F401 - its BLAS must be loaded to be found
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from sparsebench.ops.core import native
from sparsebench.ops.cpu import pool

BLAS = ThreadpoolController().select(user_api="blas")
BEFORE = 3


def threads():
    """Numbers of threads of the BLAS libraries, as this thread finds them."""
    return {library.get_num_threads() for library in BLAS.lib_controllers}


@pytest.fixture(autouse=True)
def _three_threads():
    if not BLAS.lib_controllers:
        pytest.skip("NumPy's BLAS is one that threadpoolctl does not know")
    with threadpool_limits(BEFORE, user_api="blas"):
        yield
        assert threads() == {BEFORE}


def in_threads(*functions):
    with ThreadPoolExecutor(len(functions)) as executor:
        for future in [executor.submit(function) for function in functions]:
            future.result(timeout=60)


@pytest.mark.parametrize("limit", [native.one_blas_thread, lambda: native.limited(1)])
def test_holds_and_is_set_back(limit):
    with limit():
        assert threads() == {1}
        with limit():
            assert threads() == {1}
        assert threads() == {1}
    assert threads() == {BEFORE}
    with pytest.raises(RuntimeError, match="inside"), limit():
        raise RuntimeError("inside")
    assert threads() == {BEFORE}


def test_the_lowest_of_several_holds():
    with native.limited(2):
        assert threads() == {2}
        with native.one_blas_thread():
            assert threads() == {1}
            with native.limited(4):
                assert threads() == {1}
        assert threads() == {2}


def test_holds_where_another_thread_has_set_a_limit():
    def call():
        with native.one_blas_thread():
            assert threads() == {1}
        assert threads() == {BEFORE}

    in_threads(call)  # the limit of the fixture belongs to the main thread


def test_a_limit_from_elsewhere_that_is_left_open_stops_nothing():
    threadpool_limits(BEFORE, user_api="blas")

    def call():
        with native.limited(1):
            assert threads() == {1}

    in_threads(call)
    call()


def test_whoever_comes_first_may_leave_first():
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()

    def first():
        with native.one_blas_thread():
            first_in.set()
            assert second_in.wait(30)
        first_out.set()

    def second():
        assert first_in.wait(30)
        with native.one_blas_thread():
            second_in.set()
            assert first_out.wait(30)
            assert threads() == {1}
        assert threads() == {BEFORE}

    in_threads(first, second)


def test_every_chunk_of_every_caller_has_one_thread(monkeypatch):
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "3")
    seen, callers = [], threading.Barrier(4)

    def chunk(start, stop):
        seen.append(threads())
        if start == 0:
            pool.run(lambda *_: seen.append(threads()), pool.chunks(4, 2))

    def call():
        for _ in range(30):
            callers.wait(60)
            pool.run(chunk, pool.chunks(20, 3))

    in_threads(call, call, call, call)
    assert len(seen) == 4 * 30 * (7 + 2)
    assert all(numbers == {1} for numbers in seen)


class Library:
    """A library as threadpoolctl shows it, that keeps one number for each thread, as MKL does."""

    filepath, user_api = "libeach.so", "blas"

    def __init__(self):
        self.own = threading.local()

    def get_num_threads(self):
        return getattr(self.own, "number", 4)

    def set_num_threads(self, number):
        self.own.number = number


def test_one_number_for_each_thread(monkeypatch):
    library, seen = Library(), []
    monkeypatch.setattr(native, "_blas", lambda: [library])
    monkeypatch.setenv("SPARSEBENCH_NUM_THREADS", "3")
    both = threading.Barrier(3)

    def chunk(start, stop):
        both.wait(30)  # each thread of the pool has one of them
        seen.append(library.get_num_threads())

    def call(number):
        library.set_num_threads(number)
        with native.one_blas_thread():
            assert library.get_num_threads() == 1
        assert library.get_num_threads() == number

    pool.run(chunk, pool.chunks(3, 1))
    assert seen == [1, 1, 1]
    assert library.get_num_threads() == 4
    with native.one_blas_thread():
        in_threads(lambda: call(2), lambda: call(5))
        assert library.get_num_threads() == 1
    assert library.get_num_threads() == 4


FORKING = """
import os, threading
import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_limits
from sparsebench.ops.core import native

blas = ThreadpoolController().select(user_api="blas")
threadpool_limits(3, user_api="blas")

def threads():
    return {library.get_num_threads() for library in blas.lib_controllers}

def child(function):
    if not (pid := os.fork()):
        try:
            function()
        except BaseException:
            os._exit(3)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

def outside():
    assert threads() == {3}
    with native.one_blas_thread():
        assert threads() == {1}
    assert threads() == {3}

def inside():
    assert threads() == {1}

def leave_in_child():
    try:
        with native.one_blas_thread():
            if not (pid := os.fork()):
                raise ChildProcessError
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    except ChildProcessError:
        os._exit(0 if threads() == {3} else 3)

held, leave = threading.Event(), threading.Event()

def hold():
    with native.one_blas_thread():
        held.set()
        leave.wait()

holder = threading.Thread(target=hold)
holder.start()
held.wait()
child(outside)  # it has no thread that holds the limit
with native.one_blas_thread():
    child(inside)
leave_in_child()
assert threads() == {1}
leave.set()
holder.join()
assert threads() == {3}
child(outside)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_has_the_limits_of_its_thread_alone():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING],
        timeout=120,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
