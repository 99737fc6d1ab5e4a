"""Running cells in processes on this machine; a finished cell is on disk before anybody hears of it."""

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
from sparsebench.errors import SparsebenchError
from sparsebench.evaluate.cell import failed_row, run_cell
from sparsebench.evaluate.child.walls.powers import die_with_parent
from sparsebench.evaluate.clock import Clock
from sparsebench.evaluate.host.parents import agree_in
from sparsebench.results import ResultStore

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.results import Row

__all__ = ["execute"]

_LONGEST_ADDRESS = 107  # bytes of a Unix socket's path
_Future = concurrent.futures.Future[Any]


class _Pool(concurrent.futures.ProcessPoolExecutor):
    """A pool that knows which processes are not its own: this may run within somebody else's program."""

    def __init__(self, jobs: int, scratch: str) -> None:
        self.others = set(multiprocessing.active_children())
        context = multiprocessing.get_context(_how_to_start())
        if context.get_start_method() == "forkserver":
            context.set_forkserver_preload([__name__])
        begin = (scratch, dict(os.environ))
        super().__init__(jobs, mp_context=context, initializer=_begin_worker, initargs=begin)

    def submit(self, *call: Any, **named: Any) -> _Future:
        """Submit a call of ours. Processes that are started for it do not import the program's main module.

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
    """Choose how workers are started: as forks of this process, which saves a second of imports.

    With other threads about, a fork would inherit locks that nobody opens again: then they are forks of a
    process that has imported the same, and has one thread.
    """
    if sys.platform != "linux":
        return "spawn"
    if threading.active_count() == 1:
        return "fork"
    return "forkserver" if _has_room_for_a_socket(tempfile.gettempdir()) else "spawn"


def _has_room_for_a_socket(folder: str) -> bool:
    """Say whether a server of forks can listen there: its socket is a file in a folder of its own."""
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
        How many cells run at once.
    on_start
        Called once the first workers are there: a thread may be started then.
    on_clock
        Told where a cell's time went, just before the cell is yielded; not of one that took its worker down.

    Yields
    ------
    (Cell, Row)
        In the order of finishing.

    Raises
    ------
    IntegrityError
        If a task's data are not what their hashes say. Cells that run are stopped.
    SandboxError
        If the environment asks for a level of walls that there is not.
    """
    # Those that take another's fit come last: most find it kept beside the rows.
    waiting = sorted(cells, key=lambda cell: cell.fit_variant is not None)[::-1]
    # All temporary files of the workers lie in a folder of ours: a worker that is killed cannot clean up.
    with tempfile.TemporaryDirectory(prefix="sparsebench-", ignore_cleanup_errors=True) as scratch:
        while waiting:
            suspects: list[Cell] = []
            with _Pool(jobs, scratch) as pool:
                yield from _in_pool(pool, waiting, suspects, store, limits, jobs, on_start, on_clock)
            for cell in suspects:  # one of them took a worker down: each gets a pool of its own, to see which
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
    """Work off ``waiting`` until it is empty or a worker dies; then the cells in flight become suspects."""
    running: dict[_Future, Cell] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running[pool.submit(_work_in_pool, waiting[-1], store, limits)] = waiting[-1]
                waiting.pop()  # not before: submit raises where the pool is broken
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
    """Run a cell that may have taken a worker down; if it does so again, that is its row."""
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
    """Work in a process of a pool, and say where the time went.

    The pool keeps a worker that was told to leave; this makes it go.
    """
    clock = Clock()
    try:
        return _work(cell, store, limits, clock), clock
    except SystemExit:
        pass  # and with it the frames that still held processes and folders
    os._exit(1)


def _begin_worker(scratch: str, environment: dict[str, str]) -> None:
    """Leave Ctrl-C to the parent, clean up on its word, go when it goes, and be held as the others are."""
    agree_in(Path(scratch, "walls.json"))
    os.environ.clear()  # a server of forks has the environment of when it was started
    os.environ.update(environment)
    tempfile.tempdir = scratch
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    if sys.platform == "linux":
        die_with_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)  # it went before we could tie ourselves to it


def _leave(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: nothing may interrupt the cleaning up
    sys.exit(1)  # unwinds the cell: its process is killed and its scratch folder removed


def _stop(pool: _Pool) -> None:
    """End the cells that run, now, and wait until their processes are gone."""
    for process in set(multiprocessing.active_children()) - pool.others:
        process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)
