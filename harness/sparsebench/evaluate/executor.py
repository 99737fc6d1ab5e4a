"""Running cells in processes on this machine; a finished cell is on disk before it is reported."""

from __future__ import annotations

import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import traceback
import types
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import sparsebench.evaluate.child.parent  # noqa: F401 - compiled here: the submission's process writes nothing
from sparsebench.cores import usable_cores
from sparsebench.errors import SparsebenchError
from sparsebench.evaluate.cell import failed_row, run_cell
from sparsebench.evaluate.child.walls.powers import die_with_parent
from sparsebench.evaluate.clock import Clock
from sparsebench.evaluate.host.parents import agree_in
from sparsebench.evaluate.host.placement import share_cores
from sparsebench.results import ResultStore

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from multiprocessing.synchronize import Lock

    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.results import Row

__all__ = ["execute"]

_LONGEST_ADDRESS = 107  # bytes of a Unix socket's path
_Future = concurrent.futures.Future[Any]


class _Pool(concurrent.futures.ProcessPoolExecutor):
    """A pool that knows which processes are not its own: it may run within another program."""

    def __init__(self, jobs: int, scratch: str) -> None:
        self.others = set(multiprocessing.active_children())
        context = multiprocessing.get_context(_how_to_start())
        if context.get_start_method() == "forkserver":
            context.set_forkserver_preload([__name__])
        locks = [context.Lock() for _ in range(usable_cores())]
        begin = (scratch, dict(os.environ), locks)
        super().__init__(jobs, mp_context=context, initializer=_begin_worker, initargs=begin)

    def submit(self, *call: Any, **named: Any) -> _Future:
        """Submit a call of ours. Processes that it starts do not import the program's main module.

        A script that has no ``__main__`` guard would run itself again in each of them.
        """
        with _without_main():
            return super().submit(*call, **named)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _how_to_start() -> str:
    """Choose the start method of workers: forks of this process, which saves a second of imports.

    If there are other threads, a fork could inherit locks that are never released: then workers are forks of
    a process with the same imports and one thread.
    """
    if sys.platform != "linux":
        return "spawn"
    if threading.active_count() == 1:
        return "fork"
    return "forkserver" if _has_room_for_a_socket(tempfile.gettempdir()) else "spawn"


def _has_room_for_a_socket(folder: str) -> bool:
    """Return whether a fork server can listen there: its socket is a file in a folder of its own."""
    return len(os.fsencode(folder)) + len("/pymp-12345678/listener-12345678") <= _LONGEST_ADDRESS


def execute(
    cells: Sequence[Cell],
    store: Path,
    limits: Limits,
    *,
    jobs: int,
    on_start: Callable[[], object] = lambda: None,
    on_clock: Callable[[Clock], object] = lambda _: None,
) -> Generator[tuple[Cell, Row]]:
    """Run cells in worker processes, and yield them with their rows as they finish.

    Parameters
    ----------
    cells
        What to run.
    store
        Directory of the result store. A worker writes a cell's row there before it reports it, so a run that
        is killed loses no finished cell.
    limits
        Time and memory of a cell.
    jobs
        The number of cells that run at once.
    on_start
        Called once the first workers are there: a thread may be started then.
    on_clock
        Called with a cell's times just before the cell is yielded; not for a cell that crashed its worker.

    Yields
    ------
    (Cell, Row)
        In the order in which they finish.

    Raises
    ------
    IntegrityError
        If a task's data do not have their hashes. Running cells are stopped.
    SandboxError
        If the environment names a sandbox level that does not exist.
    """
    # Cells that take the fit of another come last: most find it stored with the rows.
    waiting = sorted(cells, key=lambda cell: cell.fit_variant is not None)[::-1]
    # All temporary files of the workers are in a folder of ours: a killed worker cannot clean up.
    with tempfile.TemporaryDirectory(prefix="sparsebench-", ignore_cleanup_errors=True) as scratch:
        while waiting:
            suspects: list[Cell] = []
            with _Pool(jobs, scratch) as pool:
                yield from _in_pool(pool, waiting, suspects, store, limits, jobs, on_start, on_clock)
            for cell in suspects:  # one of them crashed a worker: each gets its own pool, to find out which
                with _Pool(1, scratch) as pool:
                    row = _alone(pool, cell, store, limits)
                yield cell, row


def _in_pool(
    pool: _Pool,
    waiting: list[Cell],
    suspects: list[Cell],
    store: Path,
    limits: Limits,
    jobs: int,
    on_start: Callable[[], object],
    on_clock: Callable[[Clock], object],
) -> Iterator[tuple[Cell, Row]]:
    """Run ``waiting`` until it is empty or a worker dies; then the running cells become suspects."""
    running: dict[_Future, Cell] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running[pool.submit(_work_in_pool, waiting[-1], store, limits)] = waiting[-1]
                waiting.pop()  # not before: submit raises if the pool is broken
            on_start()
            done, _ = concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in done:
                row, clock = future.result()
                on_clock(clock)
                yield running.pop(future), row
    except BrokenProcessPool:
        suspects.extend(running.values())
    except BaseException:
        _stop(pool)
        raise


def _alone(pool: _Pool, cell: Cell, store: Path, limits: Limits) -> Row:
    """Run a cell that may have crashed a worker; if it does so again, its row says so."""
    try:
        row: Row = pool.submit(_work_in_pool, cell, store, limits).result()[0]
    except BrokenProcessPool:
        row = failed_row(cell, "the harness's own process died while it ran this cell; is memory short?")
        ResultStore(store).write(row)
    except BaseException:
        _stop(pool)
        raise
    return row


def _work(cell: Cell, store: Path, limits: Limits, *clock: Clock) -> Row:
    try:
        row = run_cell(cell, replace(limits, models=store), *clock)
    except SparsebenchError:
        raise
    except Exception as error:  # noqa: BLE001 - a mistake of ours ends this cell and no other
        traceback.print_exc()
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        row = failed_row(cell, f"the harness itself failed: {where}; please report it")
    ResultStore(store).write(row)
    return row


def _work_in_pool(cell: Cell, store: Path, limits: Limits) -> tuple[Row, Clock]:
    """Run a cell in a process of a pool, and return its times as well.

    The pool keeps a worker that was told to exit; this makes it exit.
    """
    clock = Clock()
    try:
        return _work(cell, store, limits, clock), clock
    except SystemExit:
        pass  # and with it the frames that still hold processes and folders
    os._exit(1)


def _begin_worker(scratch: str, environment: dict[str, str], locks: list[Lock]) -> None:
    """Prepare a worker: it leaves Ctrl-C to the parent, ends with it, and uses the common sandbox level."""
    agree_in(Path(scratch, "walls.json"))
    share_cores(locks)
    os.environ.clear()  # a fork server has the environment of its start
    os.environ.update(environment)
    tempfile.tempdir = scratch
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    if sys.platform == "linux":
        die_with_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)  # it ended before we could bind ourselves to it


def _leave(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: nothing may interrupt the clean-up
    sys.exit(1)  # this unwinds the cell: its process is killed and its scratch folder removed


def _stop(pool: _Pool) -> None:
    """End the running cells now, and wait until their processes are gone."""
    for process in set(multiprocessing.active_children()) - pool.others:
        process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)
