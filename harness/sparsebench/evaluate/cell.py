"""One cell's journey: fit, meter, score, audit, time, and a row of it."""

from __future__ import annotations

import contextlib
import functools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import CellError, DisturbedError, IntegrityError, TimeLimitError
from sparsebench.evaluate.audits import audits
from sparsebench.evaluate.audits.trials import Trials, no_trials, run_trials
from sparsebench.evaluate.child.gpu import gpu_name
from sparsebench.evaluate.clock import Clock
from sparsebench.evaluate.host.parents import demand_sandbox, measured
from sparsebench.evaluate.host.placement import on_one_core
from sparsebench.evaluate.host.scratch import CodeCopy
from sparsebench.evaluate.host.session import Session
from sparsebench.evaluate.passes.counts import count_columns
from sparsebench.evaluate.passes.inputs import Inputs, fresh, shown
from sparsebench.evaluate.passes.metering import run_batches, run_single
from sparsebench.evaluate.passes.sample import hash_of_model, sample_inputs
from sparsebench.evaluate.replay.tracing import make_trace, run_recorded, trace_path
from sparsebench.evaluate.timing import TIMED, TIMED_ROWS, Timing, meter_fresh, time_predictions
from sparsebench.meter import COST_MODEL, Engine
from sparsebench.meter.traces.trace_file import write_trace
from sparsebench.ops import native
from sparsebench.results import Audit, Row
from sparsebench.results.provenance import provenance_fields, utc_now
from sparsebench.scoring import SCORING_VERSION, score_predictions
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sparsebench.evaluate.passes.passes import Pass
    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.meter import Description
    from sparsebench.meter.traces.trace_file import Trace
    from sparsebench.tasks import Instance, Task, TaskInfo

__all__ = ["failed_row", "run_cell"]

_IDENTITY = (
    *("task", "task_hash", "instance", "instance_hash"),
    *("submission", "submission_hash", "variant", "seed", "uses_tags"),
)


@dataclass
class _Findings:
    """What a cell has given so far."""

    columns: dict[str, Any] = field(default_factory=dict)
    audits: list[Audit] = field(default_factory=list)
    sandbox: str = field(default_factory=lambda: measured().level)
    fit_seconds: float | None = None
    timings: dict[str, Timing] = field(default_factory=dict)
    gpu: str | None = None
    model_hash: str | None = None
    peak_bytes: int | None = None
    stage: str = "fit"
    clock: Clock = field(default_factory=Clock)
    trace: Trace | None = None


def run_cell(cell: Cell, limits: Limits, clock: Clock | None = None) -> Row:
    """Evaluate one cell, whatever happens.

    Parameters
    ----------
    cell
        What to run.
    limits
        Time for each stage, memory, and whether a trace is written.
    clock
        Told where the time goes.

    Returns
    -------
    Row
        With status ``ok`` and its figures, or with another status and the reason.

    Raises
    ------
    IntegrityError
        If the task's data are not what their hashes say.
    SandboxError
        If what holds submissions here is weaker than the limits ask for.
    UsageError
        If a trace cannot be written.
    """
    demand_sandbox(cell, limits)
    clock = clock or Clock()
    with clock.stage("load"):
        task = _task_of(cell.task_folder, cell.task_hash)
        instance = task.load(cell.instance)
    started, findings = utc_now(), _Findings(clock=clock)
    status, reason = "ok", None
    with native.limited(1):
        try:
            _evaluate(cell, task, instance, limits, findings)
        except TimeLimitError as error:
            where = f"{findings.stage}: {error.what} ({limits.seconds:g} seconds)"
            status, reason = error.status, audits.line(TimeLimitError(where, help=error.help))
        except CellError as error:
            status, reason = error.status, audits.line(error)
    try:
        with clock.stage("row"):
            row = _row(cell, findings, status, reason, started)
    except IntegrityError as error:  # a mistake of ours, which must not take other cells with it
        return failed_row(cell, f"the harness made a row that is not valid: {error.what}; please report it")
    if limits.traces and findings.trace and row.status == "ok":  # before its row: who finds a row finds both
        write_trace(trace_path(limits.traces, row.cell_key), findings.trace)
    return row


@functools.lru_cache(maxsize=8)
def _task_of(folder: Path, content: str) -> Task:  # noqa: ARG001 - another content is another task
    """Load a task once for the cells of it that this process runs."""
    return load_task(str(folder))


def failed_row(cell: Cell, reason: str) -> Row:
    """Give the row of a cell that never came to its own end."""
    return _row(cell, _Findings(), "failed", reason, utc_now())


def _evaluate(cell: Cell, task: Task, instance: Instance, limits: Limits, findings: _Findings) -> None:
    """Go through the stages; leave what they give in ``findings``."""
    with CodeCopy(cell.path, cell.submission_hash, cell.include) as copy:
        processes = _Processes(cell, task.info[cell.instance], limits, copy.code, findings.clock)
        _go_through(processes, task, instance, findings)


def _go_through(processes: _Processes, task: Task, instance: Instance, findings: _Findings) -> None:
    cell, limits = processes.cell, processes.limits
    with findings.clock.stage("fit"), processes.start() as session:
        begin = time.perf_counter()
        parameters = session.fit(instance, cell.entropy("fit"))
        findings.fit_seconds = time.perf_counter() - begin
    findings.model_hash = hash_of_model(parameters)
    findings.stage = "predict"
    engine = Engine(memory_limit=limits.memory)
    models = _Models(processes, engine.add_parameters(parameters))
    _score(cell, task, instance, models, engine, parameters, findings)
    with findings.clock.stage("timing"):
        _time(cell, instance, models, engine, parameters, findings)
    findings.peak_bytes = engine.memory.peak


@dataclass
class _Processes:
    """What the processes of a cell are started with: one copy of the code serves all of them."""

    cell: Cell
    info: TaskInfo
    limits: Limits
    code: Path
    clock: Clock

    def start(self, *, deadline: float | None = None, gpu: bool = False) -> Session:
        """Start one."""
        with self.clock.stage("start"):
            return Session(
                self.cell,
                self.info,
                self.limits,
                deadline=deadline,
                gpu=gpu,
                code=self.code,
                clock=self.clock,
            )


@dataclass
class _Models:
    """Processes for the metered passes: each pass has its own, so that none knows what another has seen."""

    processes: _Processes
    parameters: dict[str, Description]
    deadline: float = 0.0

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.limits.seconds

    @property
    def limits(self) -> Limits:
        """What they may take."""
        return self.processes.limits

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Session]:
        """Start one that holds the parameters, on what is left of the stage's time."""
        with self.processes.start(deadline=self.deadline) as session:
            session.hold(self.parameters)
            with on_one_core(session.pid):
                yield session
            session.demand_undisturbed()

    @contextlib.contextmanager
    def timed(self, *, gpu: bool = False) -> Iterator[Session]:
        """Start one that holds the parameters and has all the time of a stage, for timing."""
        with self.processes.start(gpu=gpu) as session:
            session.hold(self.parameters)
            yield session
            session.demand_undisturbed()


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
    inputs = shown(test, uses_tags=cell.uses_tags)
    assert findings.model_hash is not None
    sample = sample_inputs(cell, findings.model_hash, len(test))
    clock = findings.clock
    with clock.stage("whole"), models.fresh() as session:
        whole = run_batches(session, engine, inputs, test.tag)
    scores = score_predictions(task.metric, test.y, whole.predictions, test.tag)
    with clock.stage("one by one"), models.fresh() as session:
        if models.limits.traces:
            single, recorded = run_recorded(session, engine, inputs[sample])
            findings.trace = make_trace(
                cell, recorded, single, test.id[sample], parameters, findings.model_hash
            )
        else:
            single = run_single(session, engine, inputs[sample])
    # About as many rows at once as in the whole split, so that work is shared here as it is there.
    repeats = max(1, whole.rows // len(sample))
    with clock.stage("together"), models.fresh() as session:
        together = run_batches(session, engine, inputs[np.tile(sample, repeats)])
    _demand(findings, audits.alone_as_in_batches(single, whole.predictions[sample]))
    _demand(findings, audits.order_invariance(together, whole.predictions[sample]))
    columns = count_columns(whole, single, together, engine.constants, parameters)
    if task.metric == "recall":
        _demand(findings, audits.counting_bound(columns["ops_add_mul_cmp"], test.y, scores.extras["recall"]))
    findings.audits.append(audits.phases_add_up({"whole": whole, "one by one": single, "together": together}))
    with clock.stage("trials"):
        trials = _try(models, engine, inputs, whole, sample)
    findings.audits += trials.audits
    if trials.dense:
        columns["ops_dense"] = trials.dense.of(columns["ops_experts"])
    findings.columns = {"error": scores.error, "quality": scores.quality, **scores.extras, **columns}


def _demand(findings: _Findings, audit: Audit) -> None:
    findings.audits.append(audit)
    audits.demand(audit)


def _try(
    models: _Models, engine: Engine, inputs: Inputs, whole: Pass, sample: np.ndarray[Any, Any]
) -> Trials:
    """Make the audits that take runs of their own. What they cannot do costs no row its score."""
    try:
        with models.fresh() as session:
            return run_trials(session, engine, inputs, whole, sample)
    except DisturbedError:
        raise
    except CellError as error:
        return no_trials(error)


def _time(
    cell: Cell,
    instance: Instance,
    models: _Models,
    engine: Engine,
    parameters: dict[str, np.ndarray[Any, Any]],
    findings: _Findings,
) -> None:
    """Time predictions on fresh inputs, and where there is a GPU that the submission can use, there too."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(cell.entropy("timing"))))
    drawn = fresh(instance.train, rng, TIMED_ROWS, uses_tags=cell.uses_tags)
    try:
        with models.timed() as session:
            metered = meter_fresh(session, engine, drawn)
            with _not_run(findings, "cpu"):
                findings.timings["cpu"] = time_predictions(session, parameters, metered, rng)
    except DisturbedError:
        raise
    except CellError as error:
        findings.timings["cpu"] = Timing(audits.not_run(TIMED[0], error))
    else:
        gpu = gpu_name() if models.limits.gpu and cell.gpu != "none" else None
        if gpu is not None:
            with _not_run(findings, "gpu"), models.timed(gpu=True) as session:
                findings.timings["gpu"] = time_predictions(session, parameters, metered, rng, gpu=True)
            findings.gpu = gpu
    findings.audits += [timing.audit for timing in findings.timings.values()]


@contextlib.contextmanager
def _not_run(findings: _Findings, device: str) -> Iterator[None]:
    """Take an error for a time that could not be taken: it costs no row its score."""
    try:
        yield
    except DisturbedError:
        raise
    except CellError as error:
        findings.timings[device] = Timing(audits.not_run(TIMED[device == "gpu"], error))


def _timed(findings: _Findings) -> dict[str, Any]:
    """Give the columns of what was timed."""
    columns: dict[str, Any] = {}
    for device, timing in findings.timings.items():
        columns[f"predict_seconds_{device}"] = timing.seconds
        columns[f"predict_backend_{device}"] = timing.backend
    return columns


def _row(cell: Cell, findings: _Findings, status: str, reason: str | None, started: str) -> Row:
    identity = {name: getattr(cell, name) for name in _IDENTITY}
    figures = findings.columns | _timed(findings) if status == "ok" else {}
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
        started=started,
        ended=utc_now(),
        peak_bytes=findings.peak_bytes,
        sandbox=findings.sandbox,
        model_hash=findings.model_hash,
        gpu=findings.gpu,
    )
