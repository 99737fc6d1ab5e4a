"""Chunks of rows on several threads, with digits that do not depend on how many.

BLAS splits a product by the number of its threads, and so the order of its sums. Here it has one thread
where chunks run, and the chunks, whose ends no number of threads decides, are spread over threads of our own.
These work for whatever lets go of the interpreter: NumPy, and functions compiled with ``nogil``. Unlike the
threading layers of OpenMP and Numba they survive a fork, and any number of callers may use them at once.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sparsebench.ops import backends
from sparsebench.ops.core import native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["chunks", "run"]


class _State:
    """What a process has."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin anew. After a fork the child has none of the threads, and the lock may be held."""
        self.lock = threading.Lock()
        self.workers: dict[int, ThreadPoolExecutor] = {}


_STATE = _State()
_INSIDE = threading.local()  # whether this thread is running a chunk


def chunks(n: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut ``n`` rows into stretches ``(start, stop)`` of ``size`` rows and a rest.

    Parameters
    ----------
    n
        Number of rows, 0 or more.
    size
        Rows of a stretch, at least 1. It must not depend on the number of threads where sums do depend on it.
    """
    return ((start, min(start + size, n)) for start in range(0, n, size))


def run(function: Callable[[int, int], object], ranges: Iterable[tuple[int, int]]) -> None:
    """Call ``function(start, stop)`` for every range, on as many threads as a primitive may use.

    While it runs, BLAS has one thread in each of them.

    Parameters
    ----------
    function
        It writes its result to a place that no other range writes to. NumPy's error state is the caller's.
    ranges
        Pairs of numbers, as :func:`chunks` makes them. They are begun in this order.

    Raises
    ------
    Exception
        What a call raised first; ranges not begun by then are not called.
    """
    waiting = deque(ranges)
    helpers = 0 if getattr(_INSIDE, "chunk", False) else min(backends.threads(), len(waiting)) - 1
    with native.one_blas_thread():
        if helpers <= 0:
            _work(function, waiting)
            return
        workers = _workers(helpers)
        futures = [
            workers.submit(contextvars.copy_context().run, _help, function, waiting) for _ in range(helpers)
        ]
        try:
            _work(function, waiting)
        finally:
            for future in futures:
                future.exception()  # wait for all, so that nothing is written after this returns
        for future in futures:
            future.result()


def _help(function: Callable[[int, int], object], waiting: deque[tuple[int, int]]) -> None:
    with native.one_blas_thread():
        _work(function, waiting)


def _work(function: Callable[[int, int], object], waiting: deque[tuple[int, int]]) -> None:
    """Call for ranges until none is waiting."""
    before, _INSIDE.chunk = getattr(_INSIDE, "chunk", False), True
    try:
        while True:
            try:
                start, stop = waiting.popleft()
            except IndexError:
                return
            function(start, stop)
    except BaseException:
        waiting.clear()
        raise
    finally:
        _INSIDE.chunk = before


def _workers(helpers: int) -> ThreadPoolExecutor:
    with _STATE.lock:
        if helpers not in _STATE.workers:
            _STATE.workers[helpers] = ThreadPoolExecutor(helpers, thread_name_prefix="sparsebench")
        return _STATE.workers[helpers]


def _forked() -> None:
    _STATE.begin()
    _INSIDE.chunk = False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
