"""The account of where a submission's operations go: by phase, line of code and kind, in this process.

For authors, who trust their own code. It counts what a row counts: inputs of the test split, each alone, on
the same model. A row draws its inputs anew; here they are the same in every run.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

from sparsebench.author.explanation import Explanation, Line
from sparsebench.author.inprocess import LocalModel, fit_here, guest, is_own, mend_here
from sparsebench.errors import CellError, FailedError, SparsebenchError, UsageError
from sparsebench.evaluate.child.child import own_line
from sparsebench.evaluate.child.mends import source_of
from sparsebench.evaluate.host.entry import check_entry
from sparsebench.evaluate.host.errors_told import one_line
from sparsebench.evaluate.passes.inputs import shown
from sparsebench.evaluate.passes.metering import run_single
from sparsebench.evaluate.passes.sample import sample_by_identity
from sparsebench.evaluate.plan import Limits, Selection, first_small, make_plan, serves
from sparsebench.ground.naming import unknown_name
from sparsebench.meter import PROFILES, Engine, Ledger, price
from sparsebench.meter.lines import NOWHERE, Place, Profiler
from sparsebench.meter.model_file import hash_of_model
from sparsebench.models import find_submission
from sparsebench.ops.core import native
from sparsebench.tasks import list_tasks, load_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sparsebench.evaluate.plan import Cell
    from sparsebench.meter import Description, Handle
    from sparsebench.models import Submission, SubmissionFolder

__all__ = ["explain"]

_TRACEBACK = "`sparsebench check FOLDER --in-process` shows the traceback"


def explain(
    reference: str,
    task: str = "",
    *,
    variant: str = "",
    instance: str = "",
    seed: int = 0,
    inputs: int = 256,
) -> Explanation:
    """Fit one variant and count it line by line, in this process.

    Parameters
    ----------
    reference
        A path, or the name of a shipped submission.
    task
        A task of the submission; may be left out if it has only one.
    variant
        A variant; the first by default.
    instance
        An instance of the task; the first small one by default.
    seed
        The seed.
    inputs
        How many inputs of the test split are counted, at most: the same ones each time.

    Raises
    ------
    UsageError
        If a name does not exist, or the manifest or the entry is wrong.
    CellError
        If the meter refuses something, or the submission's code raises; its own error is then the cause.
    """
    folder = find_submission(reference)
    cell = _choose(folder, task, variant, instance, seed)
    check_entry(folder)
    loaded = load_task(str(cell.task_folder))
    data = loaded.load(cell.instance)
    engine = Engine(memory_limit=Limits().memory)
    profiler = Profiler(engine, is_own(cell))
    with (
        contextlib.redirect_stdout(sys.stderr),
        guest(cell),
        _naming_the_line(cell) as stage,
        native.limited(1),
    ):
        submission, fitted = fit_here(cell, loaded, data)
        stage.append(submission)
        model = _Watched(submission, engine, fitted)
        model.profiler = profiler
        engine.observers.append(profiler)
        chosen = sample_by_identity(cell, hash_of_model(fitted), len(data.test), inputs)
        single = run_single(model, engine, shown(data.test, uses_tags=cell.uses_tags)[chosen])
        lines = tuple(sorted(_lines(profiler, cell.path), key=_costliest))
    assert _together(lines) == single.ledger, "a request was not observed"
    return Explanation(
        submission=cell.submission,
        variant=cell.variant,
        task=cell.task,
        instance=cell.instance,
        seed=cell.seed,
        inputs=len(chosen),
        ledger=single.ledger,
        lines=lines,
        prices={name: price(single.ledger, name) / len(chosen) for name in PROFILES},
        loaded_parameters=float(single.loaded_parameters.mean()),
    )


class _Watched(LocalModel):
    """A model that tells a profiler which arrays are the input."""

    profiler: Profiler

    def predict(self, engine: Engine, x: Description, tag: Description | None = None) -> Handle:
        """Predict."""
        self.profiler.begin(*(given.handle for given in (x, tag) if given is not None))
        return super().predict(engine, x, tag)

    def route(
        self, engine: Engine, x: Description, tag: Description | None = None
    ) -> tuple[Handle, Handle | None]:
        """Return experts and gates."""
        self.profiler.begin(*(given.handle for given in (x, tag) if given is not None))
        return super().route(engine, x, tag)


def _choose(folder: SubmissionFolder, task: str, variant: str, instance: str, seed: int) -> Cell:
    """Return the requested cell, or the first."""
    answered = folder.manifest.tasks
    if not task and len(answered) > 1:
        message = f"{folder.manifest.name} answers {len(answered)} tasks, expected one to be named"
        raise UsageError(message, help=f"give one of: {', '.join(answered)}")
    ref = task or answered[0]
    if ref not in answered and ref not in {task.ref for task in list_tasks() if serves(folder, task)}:
        raise unknown_name("task", ref, answered, where=f"the tasks of {folder.manifest.name}")
    names = variant or folder.manifest.variants[0].name
    where = instance or first_small(load_task(ref))
    return make_plan([folder], Selection((ref,), (where,), (names,), (seed,)))[0]


@contextlib.contextmanager
def _naming_the_line(cell: Cell) -> Iterator[list[Submission]]:
    """Add to an error the submission's line that it comes from, as one line, as in a row.

    It yields a list that takes the submission once it is fitted.
    """
    stage: list[Submission] = []
    try:
        yield stage
    except CellError as error:
        place = own_line(error, cell.path, cell.include)
        if not place:
            raise
        raise type(error)(f"{error.what} ({place})", help=error.help) from error
    except (SparsebenchError, KeyboardInterrupt):
        raise
    except BaseException as error:
        place = own_line(error, cell.path, cell.include)
        if not place and not isinstance(error, (SyntaxError, TypeError)):
            raise  # ours: that takes a traceback. A call that the code does not take has no line of its own
        where = f" ({place})" if place else ""
        known = mend_here(error, cell, stage)
        source = source_of(error, cell.path, cell.include)
        shown = f": `{source}`" if source else ""
        message = f"{type(error).__name__}: {one_line(str(error).partition(chr(10))[0])}{where}{shown}"
        raise FailedError(message, help=f"{known}; {_TRACEBACK}" if known else _TRACEBACK) from error


def _lines(profiler: Profiler, folder: Path) -> Iterator[Line]:
    for (phase, place, outer), spent in profiler.spent.items():
        yield Line(
            phase=phase,
            file=_relative(place, folder),
            number=place.line,
            function=place.function,
            source=place.source,
            called_from="" if outer == place else f"{_relative(outer, folder)}:{outer.line}",
            ledger=spent.ledger,
            fixed=spent.fixed,
            requests=spent.requests,
        )


def _relative(place: Place, folder: Path) -> str:
    return "" if place == NOWHERE else os.path.relpath(place.file, folder)


def _costliest(line: Line) -> Any:
    return -line.ops, line.phase, line.file, line.number, line.called_from


def _together(lines: tuple[Line, ...]) -> Ledger:
    total = Ledger()
    for line in lines:
        total.add(line.ledger)
    return total
