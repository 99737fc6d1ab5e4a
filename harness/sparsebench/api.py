"""The whole of sparsebench from Python: run submissions, load rows, make boards.

They use the same plan, processes and rows as the command line. A submission is named by its folder, because
its code runs in processes of its own and not here.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsebench.cores import usable_cores
from sparsebench.errors import NotFoundError, UsageError
from sparsebench.limits import LARGEST_SEED, LEAST, LONGEST, MOST

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from sparsebench.leaderboard import Board
    from sparsebench.results import Row

    Names = str | Iterable[str]
    Folder = str | os.PathLike[str]

__all__ = ["Results", "load_results", "make_board", "run"]

OUTPUT = "sparsebench-results"
"""Where rows go, as on the command line."""


@dataclass(frozen=True)
class Results:
    """The rows of a run, in the order of task, instance, submission, variant and seed."""

    rows: tuple[Row, ...]
    """One for each cell."""
    output: Path
    """The directory that they are stored in."""

    @property
    def failed(self) -> tuple[Row, ...]:
        """The rows of cells without a score; their ``reason`` says why."""
        return tuple(row for row in self.rows if row.status != "ok")

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame, see `load_results`."""
        return _frame(self.rows)

    def board(self, **choice: Any) -> Board:
        """Return the board of these rows, see `make_board`."""
        return _board_of(self.rows, **choice)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        from sparsebench.leaderboard import terminal  # noqa: PLC0415 - what is not printed is not imported

        return terminal(self.board())

    def _repr_markdown_(self) -> str:
        """Show the board in a notebook."""
        from sparsebench.leaderboard import markdown  # noqa: PLC0415

        return markdown(self.board())


def run(
    submissions: Folder | Iterable[Folder],
    *,
    tasks: Names = (),
    instances: Names = (),
    variants: Names = (),
    seeds: int | Iterable[int] = 5,
    small: bool = False,
    output: Folder = OUTPUT,
    resume: bool = False,
    jobs: int | None = None,
    time_limit: float = 600.0,
    memory_limit: int = 4 << 30,
    gpu: bool = True,
    require_sandbox: str = "none",
    on_row: Callable[[Row], None] | None = None,
) -> Results:
    """Score submissions, as ``sparsebench eval`` does.

    It may be called from a notebook, and from a script without a ``__main__`` guard, whichever way processes
    are started. Each row is stored before it is reported, so an interrupted run can go on with ``resume``.

    Parameters
    ----------
    submissions
        Folders with a submission.toml, or names of shipped submissions; one or several.
    tasks, instances, variants
        Only these; one name or several. Empty means all; for instances, all that the board is scored on.
    seeds
        The number of seeds, beginning with 0; or a list of seeds.
    small
        Whether to run the small instances only.
    output
        The directory of the result store.
    resume
        Whether to leave out cells that have a row with status ``ok`` there.
    jobs
        The number of cells that run at once; None for one per core.
    time_limit
        Seconds for fitting a cell, as many for predicting, and as many for fresh inputs.
    memory_limit
        Bytes that a cell may take.
    gpu
        Whether to time on a GPU as well, if there is one and the submission can use it.
    require_sandbox
        The weakest sandbox level to run at: ``none``, ``restricted`` or ``isolated``.
    on_row
        Called with each row as it comes.

    Returns
    -------
    Results
        A cell that fails raises nothing: its row has another status than ``ok``.

    Raises
    ------
    UsageError
        If a name, a manifest, an entry or a number is wrong, or the store cannot be written to.
    IntegrityError
        If a task's data, or the store, are not what they should be.
    SandboxError
        If the sandbox here is weaker than required.
    """
    from sparsebench.evaluate.child.walls import LEVELS  # noqa: PLC0415 - `import sparsebench` is quick
    from sparsebench.evaluate.plan import Limits, Selection  # noqa: PLC0415
    from sparsebench.evaluate.run import prepare  # noqa: PLC0415

    for name, value in (("small", small), ("resume", resume), ("gpu", gpu)):
        _flag(name, value)
    selection = Selection(
        _names("tasks", tasks),
        _names("instances", instances),
        _names("variants", variants),
        _seeds(seeds),
        small,
        all_instances=False,
    )
    if require_sandbox not in LEVELS:
        message = f"require_sandbox: expected none, restricted or isolated, got {require_sandbox!r}"
        raise UsageError(message, help="sparsebench doctor tells what this machine can do")
    limits = Limits(
        _within("time_limit", time_limit, 0.0, LONGEST),
        int(_within("memory_limit", memory_limit, LEAST, MOST)),
        gpu=gpu,
        require_sandbox=require_sandbox,
    )
    workers = usable_cores() if jobs is None else _whole("jobs", jobs, 1)
    prepared = prepare(_folders(submissions), selection, Path(output), limits, resume=resume)
    workers = max(1, min(workers, len(prepared.cells)))
    rows = prepared.execute(jobs=workers, on_row=on_row or _say_nothing)
    return Results(tuple(rows), prepared.store)


def load_results(path: Folder = OUTPUT) -> pd.DataFrame:
    """Load stored rows: the newest of each cell; a row with status ``ok`` goes before a failed one.

    Parameters
    ----------
    path
        Directory of a result store.

    Returns
    -------
    pandas.DataFrame
        One line per cell, with all columns of a row (:class:`sparsebench.results.Row`). What a cell does not
        have is NaN in columns of numbers, and None in others; ``packages`` is a dict, and lists of records
        (``counts``, ``audits``, ...) are lists of dicts.

    Raises
    ------
    NotFoundError
        There are no rows.
    IntegrityError
        A file there is not a file of rows.
    """
    return _frame(_load(path))


def make_board(results: Results | Folder = OUTPUT, **choice: Any) -> Board:
    """Make the board of results, as ``sparsebench leaderboard show`` does.

    Parameters
    ----------
    results
        What `run` returned, or the directory of a result store.
    **choice
        ``tasks``: only these. And the fields of :class:`sparsebench.leaderboard.standard.Choice`, such as
        ``instances``, ``submissions``, ``small``, ``seeds``, ``tags`` and ``profile``.

    Returns
    -------
    Board
        Records, which ``markdown``, ``terminal``, ``csv`` and ``document`` of :mod:`sparsebench.leaderboard`
        write as text.

    Raises
    ------
    NotFoundError
        There are no rows of the chosen cells.
    UsageError
        The rows cannot share a board, or a choice does not exist.
    """
    rows = results.rows if isinstance(results, Results) else _load(results, all_runs=True)
    return _board_of(rows, **choice)


def _board_of(rows: Sequence[Row], *, tasks: Names = (), **choice: Any) -> Board:
    from sparsebench.leaderboard.standard import Choice, board_of, tasks_of  # noqa: PLC0415

    known = {field.name for field in fields(Choice)}
    if unknown := sorted(set(choice) - known):
        names = ", ".join(["tasks", *sorted(known)])
        raise UsageError(f"a board has no choice called {unknown[0]!r}", help=f"there are: {names}")
    for name in ("instances", "submissions"):
        choice[name] = _names(name, choice.get(name, ()))
    for name in {"small", "tags", "titled"} & set(choice):
        _flag(name, choice[name])
    if "seeds" in choice:
        choice["seeds"] = _whole("seeds", choice["seeds"], 1)
    chosen = Choice(**choice)
    return board_of(rows, tasks_of(rows, _names("tasks", tasks), chosen), chosen)


def _load(path: Folder, *, all_runs: bool = False) -> list[Row]:
    from sparsebench.results import ResultStore  # noqa: PLC0415

    store = ResultStore(Path(path))
    rows = (store.rows() if all_runs else store.latest()) if store.exists() else []
    if not rows:
        raise NotFoundError(f"no rows in {path}", help="give the directory that --output or output named")
    return rows


def _frame(rows: Iterable[Row]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415

    from sparsebench.results.columns import COLUMNS  # noqa: PLC0415

    return pd.DataFrame([row.to_json_dict() for row in rows], columns=list(COLUMNS))


def _say_nothing(_: Row) -> None:
    pass


def _folders(submissions: Folder | Iterable[Folder]) -> list[str]:
    given = [submissions] if isinstance(submissions, str | os.PathLike) else list(_iterable(submissions))
    for each in given:
        if not isinstance(each, str | os.PathLike):
            raise UsageError(
                f"submissions: expected folders or names, got a {type(each).__name__}",
                help="its code runs in another process: write it into a folder (sparsebench new my-router)",
            )
    if not given:
        raise UsageError("submissions: expected at least one", help="name a folder, or a shipped one")
    return [os.fspath(each) for each in given]


def _iterable(given: object) -> Iterable[Any]:
    return given if isinstance(given, Iterable) else [given]


def _names(what: str, given: Names) -> tuple[str, ...]:
    names = (given,) if isinstance(given, str) else tuple(_iterable(given))
    if not all(isinstance(name, str) for name in names):
        raise UsageError(f"{what}: expected a name or several, got {given!r}", help="leave it out for all")
    return names


def _seeds(given: int | Iterable[int]) -> tuple[int, ...]:
    told = [given] if isinstance(given, str) else list(_iterable(given))
    try:
        seeds = tuple(dict.fromkeys(map(operator.index, told)))
    except TypeError:
        seeds = ()
    if seeds and not isinstance(given, Iterable):
        return tuple(range(_whole("seeds", seeds[0], 1)))
    if not seeds or not all(0 <= seed <= LARGEST_SEED for seed in seeds):
        message = f"seeds: expected how many, or which ones, got {given!r}"
        raise UsageError(message, help="5 for the seeds 0 to 4, or a list such as [0, 2, 9]")
    return seeds


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise UsageError(f"{name}: expected True or False, got {value!r}", help="leave it out for the usual")


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        message = f"{name}: expected a whole number of at least {least}, got {value!r}"
        raise UsageError(message, help="leave it out for the usual one")
    return value


def _within(name: str, value: Any, least: float, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not value > 0 or not least <= value <= most:
        message = f"{name}: expected a number from {least:g} to {most:g}, got {value!r}"
        raise UsageError(message, help="leave it out for the usual one")
    return float(value)
