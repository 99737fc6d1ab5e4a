"""The contract test for other people's submissions."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sparsebench.author.inprocess import LocalModel, fit_here, guest, mend_here
from sparsebench.errors import CellError, SparsebenchError
from sparsebench.evaluate.audits.audits import line
from sparsebench.evaluate.cell import run_cell
from sparsebench.evaluate.child.gpu import gpu_name
from sparsebench.evaluate.host.entry import check_entry
from sparsebench.evaluate.host.parents import pass_turn
from sparsebench.evaluate.host.randomness import unseeded
from sparsebench.evaluate.host.session import Session
from sparsebench.evaluate.passes.inputs import fresh, shown
from sparsebench.evaluate.passes.metering import run_batches
from sparsebench.evaluate.plan import Limits, Selection, first_small, make_plan
from sparsebench.evaluate.timing import TIMED, TIMED_ROWS
from sparsebench.meter import Engine, price
from sparsebench.models import find_submission
from sparsebench.results import may_differ
from sparsebench.scoring import score_predictions
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.evaluate.plan import Cell
    from sparsebench.models import Submission
    from sparsebench.results import Audit, Row

__all__ = ["Check", "check_submission", "run_in_process"]

_SEEDED = "draw randomness only from the rng that fit is given"
_LIMITS = Limits(unsafe=True)  # an author's own code, on the author's machine


@dataclass(frozen=True)
class Check:
    """One thing that was checked."""

    name: str
    """What."""
    ok: bool
    """Whether it holds."""
    detail: str
    """The observation; if the check fails, what is wrong and the mend."""
    audit: bool = False
    """Whether it is an audit of a cell's row."""
    ran: bool = True
    """Whether it was made. A check that does not apply is not made: it holds, but is no pass."""

    @property
    def verdict(self) -> str:
        """``pass``, ``fail``, or ``not-run`` for a check that was not made and need not be."""
        return "fail" if not self.ok else "pass" if self.ran else "not-run"


def check_submission(reference: str, variants: tuple[str, ...] = ()) -> Iterator[Check]:
    """Check a submission, variant by variant, in the way that a score would run it.

    Parameters
    ----------
    reference
        A path, or the name of a shipped submission.
    variants
        Only these; all if empty.

    Yields
    ------
    Check
        As they are made.

    Raises
    ------
    UsageError
        If the manifest or the entry is wrong.
    """
    cells = _smallest_cells(reference, variants)
    yield Check("manifest", ok=True, detail=_manifest(cells))
    for cell in cells:
        place = f"{cell.variant} on {cell.task}/{cell.instance}"
        row = run_cell(cell, _LIMITS)
        if row.status != "ok":
            yield Check(f"{place} runs", ok=False, detail=f"{row.status}: {row.reason}")
            continue
        figures = (
            f"ops {row.ops:g} (router {row.ops_router:g}), quality {row.quality:.3f}, error {row.error:.4g}"
        )
        yield Check(f"{place} runs", ok=True, detail=figures)
        for audit in row.audits:
            detail = f"not run: {audit.detail}" if audit.verdict == "not-run" else audit.detail
            ran = audit.verdict != "not-run"
            yield Check(f"{place} {audit.name}", ok=_holds(audit), detail=detail, audit=True, ran=ran)
        yield from _own_primitives(place, cell)
        pass_turn()
        again = run_cell(cell, _LIMITS)
        yield _fits_again(place, cell, row, again)
        yield _runs_again(place, row, again)


def _manifest(cells: list[Cell]) -> str:
    included = ", ".join(file.name for file in cells[0].include)
    including = f", including {included}" if included else ""
    return f"{len(cells)} cells to try, entry {cells[0].entry}{including}"


def _own_primitives(place: str, cell: Cell) -> Iterator[Check]:
    """Try the submission's own primitives, if it has any."""
    if not any(cell.path.rglob("*.cu")):
        return
    task = load_task(cell.task)
    instance = task.load(cell.instance)
    try:
        with Session(cell.fitting, task.info[cell.instance], _LIMITS) as session:
            if not session.own:
                return
            parameters = session.fit(instance, cell.fitting.entropy("fit"))
        with Session(cell, task.info[cell.instance], _LIMITS, gpu=gpu_name() is not None) as session:
            inputs = fresh(instance.train, np.random.default_rng(0), TIMED_ROWS, uses_tags=cell.uses_tags)
            findings = session.try_own(parameters, inputs)
    except CellError as error:
        yield Check(f"{place} own-primitives", ok=False, detail=line(error))
        return
    for found in findings:
        yield Check(f"{place} {found.primitive} {found.what}", ok=found.ok, detail=found.detail)
    if not findings:
        yield Check(f"{place} own-primitives", ok=False, detail="predict calls none of those it defines")


def _holds(audit: Audit) -> bool:
    """Return whether there is nothing to mend. A check that does not apply to a submission is not run."""
    return audit.verdict == "pass" or (audit.verdict == "not-run" and audit.name not in TIMED)


def _fits_again(place: str, cell: Cell, first: Row, second: Row) -> Check:
    """Compare the models of two fits, made in two processes with different hash seeds."""
    if first.model_hash == second.model_hash:
        return Check(f"{place} fits-again", ok=True, detail="two fits in two processes give one model")
    found = unseeded(cell.path, cell.include)
    suspect = f" ({found})" if found else ""
    detail = f"two fits in two processes give two models{suspect}; {_SEEDED}"
    return Check(f"{place} fits-again", ok=False, detail=detail)


def _runs_again(place: str, first: Row, second: Row) -> Check:
    """Compare everything but the times of two runs."""
    a, b = (dict(row.to_dict(), audits=_of_scores(row)) for row in (first, second))
    drawn = may_differ(first) | may_differ(second)
    differing = [name for name in a if name not in drawn and a[name] != b[name]]
    if differing:
        detail = f"two runs differ in {', '.join(differing[:5])}; {_SEEDED}"
        return Check(f"{place} runs-again", ok=False, detail=detail)
    return Check(f"{place} runs-again", ok=True, detail="two runs agree in every digit")


def _of_scores(row: Row) -> list[tuple[str, str, str]]:
    """Return the audits without those of the timing, which may fail for lack of time."""
    return [(a.name, a.verdict, a.detail) for a in row.audits if a.name not in TIMED]


def _smallest_cells(reference: str, variants: tuple[str, ...]) -> list[Cell]:
    """Return every variant on the first small instance of each task."""
    folder = find_submission(reference)
    check_entry(folder)
    cells: list[Cell] = []
    for ref in folder.manifest.tasks:
        task = load_task(ref)
        cells += make_plan([folder], Selection((ref,), (first_small(task),), variants))
    return cells


def run_in_process(reference: str, variants: tuple[str, ...] = ()) -> Iterator[str]:
    """Run every variant in this process, and yield lines with its figures: for authors, not for scores.

    Errors of the submission pass through unchanged.
    """
    for cell in _smallest_cells(reference, variants):
        task = load_task(cell.task)
        instance = task.load(cell.instance)
        test = instance.test
        engine = Engine()
        with guest(cell), _with_a_note(cell) as stage:
            submission, fitted = fit_here(cell, task, instance)
            stage.append(submission)
            model = LocalModel(submission, engine, fitted)
            result = run_batches(model, engine, shown(test, uses_tags=cell.uses_tags))
        scores = score_predictions(task.metric, test.y, result.predictions, test.tag)
        ops = price(result.ledger) / len(test)
        yield f"{cell.label}: ops {ops:g}, quality {scores.quality:.3f}, error {scores.error:.4g}"


@contextlib.contextmanager
def _with_a_note(cell: Cell) -> Iterator[list[Submission]]:
    """Let a submission's errors pass unchanged, with a note on the mend; yield a list for the fitted one."""
    stage: list[Submission] = []
    try:
        yield stage
    except Exception as error:
        if not isinstance(error, SparsebenchError) and (mend := mend_here(error, cell, stage)):
            error.add_note(f"help: {mend}")
        raise
