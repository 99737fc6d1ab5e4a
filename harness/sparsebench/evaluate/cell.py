"""One cell's journey: fit, meter, score, audit, time, and a row of it."""

from __future__ import annotations

import contextlib
import hashlib
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from threadpoolctl import threadpool_limits

from sparsebench.errors import CellError, IntegrityError, TimeLimitError
from sparsebench.evaluate import audits
from sparsebench.evaluate.counts import count_columns
from sparsebench.evaluate.metering import run_batches, run_single
from sparsebench.evaluate.sandbox import landlock_version
from sparsebench.evaluate.session import Session
from sparsebench.meter import COST_MODEL, Engine
from sparsebench.results import Audit, Row
from sparsebench.results.provenance import provenance_fields, utc_now
from sparsebench.scoring import SCORING_VERSION, score_predictions
from sparsebench.tasks import fresh_inputs, load_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.meter import Description
    from sparsebench.tasks import Instance, Task, TaskInfo

__all__ = ["SAMPLE", "failed_row", "run_cell"]

SAMPLE = 256
"""Inputs of the test split that are also run one by one."""

_TIMED_ROWS = 1024
_TIMED_RUNS = 5


@dataclass
class _Findings:
    """What a cell has given so far."""

    columns: dict[str, Any] = field(default_factory=dict)
    audits: list[Audit] = field(default_factory=list)
    sandbox: str = field(default_factory=lambda: "files" if landlock_version() else "none")
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    model_hash: str | None = None
    peak_bytes: int | None = None
    stage: str = "fit"


def run_cell(cell: Cell, limits: Limits) -> Row:
    """Evaluate one cell, whatever happens.

    Parameters
    ----------
    cell
        What to run.
    limits
        Time for each stage, and memory.

    Returns
    -------
    Row
        With status ``ok`` and its figures, or with another status and the reason.

    Raises
    ------
    IntegrityError
        If the task's data are not what their hashes say.
    """
    task = load_task(str(cell.task_folder))
    instance = task.load(cell.instance)
    started, findings = utc_now(), _Findings()
    status, reason = "ok", None
    with threadpool_limits(1):
        try:
            _evaluate(cell, task, instance, limits, findings)
        except TimeLimitError as error:
            where = f"{findings.stage}: {error.what} ({limits.seconds:g} seconds)"
            status, reason = error.status, _line(TimeLimitError(where, help=error.help))
        except CellError as error:
            status, reason = error.status, _line(error)
    try:
        return _row(cell, findings, status, reason, started)
    except IntegrityError as error:  # a mistake of ours, which must not take other cells with it
        return failed_row(cell, f"the harness made a row that is not valid: {error.what}; please report it")


def failed_row(cell: Cell, reason: str) -> Row:
    """Give the row of a cell that never came to its own end."""
    return _row(cell, _Findings(), "failed", reason, utc_now())


def _evaluate(cell: Cell, task: Task, instance: Instance, limits: Limits, findings: _Findings) -> None:
    """Go through the stages; leave what they give in ``findings``."""
    info = task.info[cell.instance]
    with Session(cell, info, limits) as session:
        findings.sandbox = session.sandbox
        begin = time.perf_counter()
        parameters = session.fit(instance, cell.entropy("fit"))
        findings.fit_seconds = time.perf_counter() - begin
    findings.model_hash = hashlib.sha256(safetensors.numpy.save(parameters)).hexdigest()
    findings.stage = "predict"
    engine = Engine(memory_limit=limits.memory)
    models = _Models(cell, info, limits, engine.add_parameters(parameters))
    _score(cell, task, instance, models, engine, parameters, findings)
    _time(cell, instance, models, engine, parameters, findings)
    findings.peak_bytes = engine.memory.peak


@dataclass
class _Models:
    """Processes for the metered passes: each pass has its own, so that none knows what another has seen."""

    cell: Cell
    info: TaskInfo
    limits: Limits
    parameters: dict[str, Description]
    deadline: float = 0.0

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.limits.seconds

    @contextlib.contextmanager
    def fresh(self, *, last: bool = False) -> Iterator[Session]:
        """Start one that holds the parameters, on what is left of the stage's time; the last has all anew."""
        with Session(self.cell, self.info, self.limits, deadline=None if last else self.deadline) as session:
            session.hold(self.parameters)
            yield session


def _score(
    cell: Cell,
    task: Task,
    instance: Instance,
    models: _Models,
    engine: Engine,
    parameters: dict[str, np.ndarray[Any, Any]],
    findings: _Findings,
) -> None:
    """Meter the test split, score the predictions, audit both."""
    test = instance.test
    sample = _sample(cell, findings.model_hash or "", len(test))
    with models.fresh() as session:
        whole = run_batches(session, engine, test.x)
    scores = score_predictions(task.metric, test.y, whole.predictions)
    with models.fresh() as session:
        single = run_single(session, engine, test.x[sample])
    # About as many rows at once as in the whole split, so that work is shared here as it is there.
    repeats = max(1, whole.rows // len(sample))
    with models.fresh() as session:
        together = run_batches(session, engine, test.x[np.tile(sample, repeats)])
    findings.audits.append(audits.alone_as_in_batches(single, whole.predictions[sample]))
    columns = count_columns(whole, single, together, engine.constants, parameters)
    if task.metric == "recall":
        bound = audits.counting_bound(columns["ops_add_mul_cmp"], test.y, scores.extras["recall"])
        findings.audits.append(bound)
    findings.columns = {"error": scores.error, "quality": scores.quality, **scores.extras, **columns}


def _sample(cell: Cell, model_hash: str, n: int) -> np.ndarray[Any, Any]:
    """Draw the inputs that are run one by one. The model is part of the draw: no model can be made for it."""
    text = f"{cell.task_hash} {cell.instance} {cell.seed} {model_hash} one by one"
    entropy = int.from_bytes(hashlib.sha256(text.encode()).digest(), "little")
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
    return rng.choice(n, size=min(SAMPLE, n), replace=False)


def _time(
    cell: Cell,
    instance: Instance,
    models: _Models,
    engine: Engine,
    parameters: dict[str, np.ndarray[Any, Any]],
    findings: _Findings,
) -> None:
    """Time predictions on fresh inputs, and hold them against what the meter predicts for the same inputs."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(cell.entropy("timing"))))
    x = fresh_inputs(instance.train, rng, _TIMED_ROWS)
    try:
        with models.fresh(last=True) as session:
            metered = run_batches(session, engine, x)
            x = x[: metered.rows]
            session.arm(parameters)
            # A new order each time: an answer that was kept from an earlier run is no answer.
            orders = [rng.permutation(len(x)) for _ in range(_TIMED_RUNS + 1)]
            runs = [session.run(x[order]) for order in orders]
    except CellError as error:
        findings.audits.append(Audit("timed-as-metered", "not-run", _line(error)))
        return
    expected = np.concatenate([metered.predictions[order] for order in orders])
    verdict = audits.timed_as_metered(np.concatenate([timed for timed, _ in runs]), expected)
    findings.audits.append(verdict)
    if verdict.verdict == "pass":
        findings.predict_seconds = statistics.median(seconds for _, seconds in runs[1:]) / len(x)


def _line(error: CellError) -> str:
    return f"{error.what}; {error.help}" if error.help else error.what


def _row(cell: Cell, findings: _Findings, status: str, reason: str | None, started: str) -> Row:
    identity = {
        name: getattr(cell, name)
        for name in (
            "task",
            "task_hash",
            "instance",
            "instance_hash",
            "submission",
            "submission_hash",
            "variant",
            "seed",
        )
    }
    figures = findings.columns if status == "ok" else {}
    return Row(
        **provenance_fields(),
        **identity,
        **figures,
        scoring_version=SCORING_VERSION,
        cost_model=COST_MODEL,
        status=status,
        reason=reason,
        audits=tuple(findings.audits),
        fit_seconds=findings.fit_seconds,
        predict_seconds_cpu=findings.predict_seconds if status == "ok" else None,
        started=started,
        ended=utc_now(),
        peak_bytes=findings.peak_bytes,
        sandbox=findings.sandbox,
        model_hash=findings.model_hash,
    )
