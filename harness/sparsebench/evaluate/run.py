"""An evaluation run: plan, skip finished cells, execute, collect the rows."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sparsebench.errors import UsageError
from sparsebench.evaluate.executor import execute
from sparsebench.evaluate.host.entry import check_entry
from sparsebench.evaluate.kept import KeptModels
from sparsebench.evaluate.plan import Cell, Limits, Selection, make_plan
from sparsebench.models import find_submission
from sparsebench.models.requirements import check_requirements
from sparsebench.results import ResultStore
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sparsebench.evaluate.clock import Clock
    from sparsebench.results import Row
    from sparsebench.tasks import Task

__all__ = ["Run", "prepare"]


@dataclass
class Run:
    """The cells to run, and the place of their rows."""

    store: Path
    """Directory of the result store."""
    limits: Limits
    """Time and memory of a cell."""
    tasks: dict[str, Task]
    """The tasks of its cells, by reference: the versions that their instances came with."""
    chosen: tuple[str, ...] = ()
    """The tasks that were asked for; empty for the newest versions of those that submissions answer."""
    finished: list[Row] = field(default_factory=list)
    """Rows of cells that need not run again."""
    cells: list[Cell] = field(default_factory=list)
    """The cells to run."""
    resume: bool = False
    """Whether models that an earlier run has kept are taken."""

    def execute(
        self,
        *,
        jobs: int,
        on_row: Callable[[Row], None],
        on_start: Callable[[], object] = lambda: None,
        on_clock: Callable[[Clock], object] = lambda _: None,
    ) -> list[Row]:
        """Run the cells, report every row as it comes, and return all rows in order, with finished ones.

        Parameters
        ----------
        jobs
            The number of cells that run at once.
        on_row
            Called with every row.
        on_start
            Called when the first workers are there, and perhaps again: a thread may be started then.
        on_clock
            Called with a cell's times, before ``on_row`` is called with its row.

        Raises
        ------
        IntegrityError
            If a task's data do not have their hashes.
        """
        rows = list(self.finished)
        if not self.resume:
            KeptModels(self.store).forget(cell.fitting for cell in self.cells if cell.shared)
        running = execute(
            self.cells, self.store, self.limits, jobs=jobs, on_start=on_start, on_clock=on_clock
        )
        with contextlib.closing(running) as done:
            for _, row in done:  # closed at once, even if ``on_row`` raises: this ends the cells
                on_row(row)
                rows.append(row)
        return sorted(rows, key=lambda row: row.identity.place)


def prepare(
    references: Sequence[str],
    selection: Selection,
    store: Path,
    limits: Limits,
    *,
    resume: bool = False,
    make_data: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Run:
    """Find the submissions, check everything that can be checked before a run, and make the plan.

    Parameters
    ----------
    references
        Paths of submissions, or names of shipped ones.
    selection
        The choice of their cells.
    store
        Directory for the rows.
    limits
        Time and memory of a cell.
    resume
        Whether to leave out the cells that have a row with status ``ok`` in the store, for the same task
        hash, submission hash, seed, scoring version and cost model, and to take models that variants share
        from there.
    make_data
        Whether data that are made on first use are made, and checked, now.
    progress
        Called with a line on the progress of that.

    Raises
    ------
    UsageError
        If a name, a manifest or an entry is wrong, or the store cannot be written to.
    IntegrityError
        If a task's data, or the store, are not what they should be.
    """
    found = (find_submission(reference) for reference in dict.fromkeys(references))
    folders = list({folder.path: folder for folder in found}.values())
    # All at once, so that one command installs what a run of many submissions needs.
    check_requirements(sorted({need for folder in folders for need in folder.manifest.requires}))
    for folder in folders:
        check_entry(folder)
    _check_writable(store)
    _check_outside(store, [folder.path for folder in folders])
    cells = make_plan(folders, selection)
    folders_of = {cell.task: cell.task_folder for cell in cells}
    tasks = {ref: load_task(str(folder)) for ref, folder in folders_of.items()}
    for task, instance in dict.fromkeys((cell.task, cell.instance) for cell in cells):
        spec = tasks[task].instances[instance]
        if make_data or spec.streamed or not spec.generated:  # a streamed one raises an error
            tasks[task].load(instance, progress=progress)
    if not resume:
        return Run(store, limits, tasks, selection.tasks, cells=cells)
    rows = {row.cell_key: row for row in ResultStore(store).latest() if row.status == "ok"}
    finished = [rows[cell.key] for cell in cells if cell.key in rows]
    left = [cell for cell in cells if cell.key not in rows]
    return Run(store, limits, tasks, selection.tasks, finished, left, resume=True)


def _check_outside(store: Path, folders: Sequence[Path]) -> None:
    """Refuse a store inside a submission: each row would change the submission's hash."""
    for folder in folders:
        if store.resolve().is_relative_to(folder):
            message = f"the rows would go to {store}, inside the submission {folder.name}"
            raise UsageError(message, help="run from another folder, or give another --output")


def _check_writable(store: Path) -> None:
    """Check that the store can be written to, before an hour of work. This makes nothing."""
    there = next(folder for folder in (store.absolute(), *store.absolute().parents) if folder.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fault = "not a folder" if not there.is_dir() else "not writable"
        raise UsageError(f"cannot write rows under {store}: {there} is {fault}", help="give another --output")
