"""The evaluation of one cell: fit, meter, score, audit, time, and make a row."""

from __future__ import annotations

import contextlib
import functools
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import CellError, DisturbedError, IntegrityError, TimeLimitError
from sparsebench.evaluate.audits import audits
from sparsebench.evaluate.audits.in_another_process import Trials, no_trials, run_trials
from sparsebench.evaluate.child.gpu import gpu_name
from sparsebench.evaluate.clock import Clock
from sparsebench.evaluate.host.finite import naming_infinities
from sparsebench.evaluate.host.parents import demand_sandbox, measured
from sparsebench.evaluate.host.placement import on_one_core
from sparsebench.evaluate.host.scratch import CodeCopy
from sparsebench.evaluate.host.session import Session, text_of
from sparsebench.evaluate.kept import Fitted, KeptModels
from sparsebench.evaluate.known_answers import check_answers, dearer_alone, dearer_in_batches, draw_inputs
from sparsebench.evaluate.passes.costs import (
    Beside,
    cost_alone,
    cost_of_batches,
    is_one_cost,
    too_dear,
    whole_too_dear,
)
from sparsebench.evaluate.passes.counts import count_columns
from sparsebench.evaluate.passes.inputs import Inputs, shown
from sparsebench.evaluate.passes.memory import memory_columns, size_of_files
from sparsebench.evaluate.passes.metering import run_batches, run_single
from sparsebench.evaluate.passes.sample import (
    MOST_ALONE,
    SAMPLE,
    sample_by_identity,
    sample_inputs,
)
from sparsebench.evaluate.replay.tracing import make_trace, run_recorded, trace_path
from sparsebench.evaluate.timing import TIMED, TIMED_ROWS, Timing, meter_fresh, time_predictions
from sparsebench.meter import Engine
from sparsebench.meter.model_file import hash_of_model
from sparsebench.meter.traces.trace_file import write_trace
from sparsebench.ops.core import native
from sparsebench.results import Audit, Row
from sparsebench.results.provenance import provenance_fields, utc_now
from sparsebench.scoring import score_predictions
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sparsebench.evaluate.known_answers import Drawn
    from sparsebench.evaluate.passes.costs import Cost
    from sparsebench.evaluate.passes.passes import Pass, Single
    from sparsebench.evaluate.plan import Cell, Limits
    from sparsebench.evaluate.replay.tracing import Recorded
    from sparsebench.evaluate.timing import Metered
    from sparsebench.meter import Description
    from sparsebench.meter.model import Model
    from sparsebench.meter.traces.trace_file import Trace
    from sparsebench.tasks import Instance, Task, TaskInfo

__all__ = ["failed_row", "run_cell"]


@dataclass
class _Findings:
    """The results of a cell so far."""

    columns: dict[str, Any] = field(default_factory=dict)
    draws: dict[str, Any] = field(default_factory=dict)
    audits: list[Audit] = field(default_factory=list)
    sandbox: str = field(default_factory=lambda: measured().level)
    fit_seconds: float | None = None
    timings: dict[str, Timing] = field(default_factory=dict)
    gpu: str | None = None
    model_hash: str | None = None
    fit_rows: int | None = None
    peak_bytes: int | None = None
    stage: str = "fit"
    clock: Clock = field(default_factory=Clock)
    trace: Trace | None = None


def run_cell(cell: Cell, limits: Limits, clock: Clock | None = None) -> Row:
    """Evaluate one cell; every outcome gives a row.

    Parameters
    ----------
    cell
        What to run.
    limits
        Time for each stage, memory, and whether a trace is written.
    clock
        Records where the time goes.

    Returns
    -------
    Row
        With status ``ok`` and its figures, or with another status and the reason.

    Raises
    ------
    IntegrityError
        If the task's data are not what their hashes say, or fresh inputs are of another target.
    SparsebenchError
        If its generator fails.
    SandboxError
        If the sandbox here is weaker than the limits require.
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
    except IntegrityError as error:  # a mistake of ours, which must not end other cells
        return failed_row(cell, f"the harness made a row that is not valid: {error.what}; please report it")
    if limits.traces and findings.trace and row.status == "ok":  # before its row, so a reader finds both
        write_trace(trace_path(limits.traces, row.cell_key), findings.trace)
    return row


@functools.lru_cache(maxsize=8)
def _task_of(folder: Path, content: str) -> Task:  # noqa: ARG001 - another content is another task
    """Load a task once for the cells of it that this process runs."""
    return load_task(str(folder))


def failed_row(cell: Cell, reason: str) -> Row:
    """Return the row of a cell that did not finish by itself."""
    return _row(cell, _Findings(), "failed", reason, utc_now())


def _evaluate(cell: Cell, task: Task, instance: Instance, limits: Limits, findings: _Findings) -> None:
    """Run the stages, and store their results in ``findings``."""
    with CodeCopy(cell.path, cell.submission_hash, cell.include) as copy:
        processes = _Processes(cell, task.info[cell.instance], limits, copy.code, findings.clock)
        _go_through(processes, task, instance, findings)


def _go_through(processes: _Processes, task: Task, instance: Instance, findings: _Findings) -> None:
    cell, limits = processes.cell, processes.limits
    with findings.clock.stage("fit"):
        parameters, findings.fit_seconds = _fit(processes, instance)
    findings.model_hash, findings.fit_rows = hash_of_model(parameters), len(instance.train)
    findings.stage = "predict"
    engine = Engine(memory_limit=limits.memory)
    models = _Models(processes, engine.add_parameters(parameters), text_of(parameters))
    run = _Run(cell, task, instance, models, engine, parameters, findings)
    whole, cost = _score(run)
    findings.stage = "fresh inputs"
    with findings.clock.stage("timing"):
        _time(run, whole, cost)
    findings.peak_bytes = engine.memory.peak


def _fit(processes: _Processes, instance: Instance) -> Fitted:
    """Fit, or take the model that another cell of the same fit has kept."""
    cell, store = processes.cell.fitting, processes.limits.models
    kept = KeptModels(store) if store is not None and cell.shared else None
    if kept is not None and (there := kept.take(cell)) is not None:
        return there
    with processes.start(cell=cell) as session:
        begin = time.perf_counter()
        model = session.fit(instance, cell.entropy("fit"))
        made = Fitted(model, time.perf_counter() - begin)
    return made if kept is None else kept.keep(cell, made)


@dataclass
class _Processes:
    """The starter of a cell's processes, all of which use one copy of the code."""

    cell: Cell
    info: TaskInfo
    limits: Limits
    code: Path
    clock: Clock

    def start(self, *, deadline: float | None = None, gpu: bool = False, cell: Cell | None = None) -> Session:
        """Start a process, of another variant if ``cell`` is given."""
        with self.clock.stage("start"):
            return Session(
                cell or self.cell,
                self.info,
                self.limits,
                deadline=deadline,
                gpu=gpu,
                code=self.code,
                clock=self.clock,
            )


@dataclass
class _Models:
    """Processes for the metered passes: one for each pass, so that none knows what another has seen."""

    processes: _Processes
    parameters: dict[str, Description]
    structure: str | None
    deadline: float = 0.0

    def __post_init__(self) -> None:
        self.begin_stage()

    def begin_stage(self) -> None:
        """Start the time of a stage."""
        self.deadline = time.monotonic() + self.limits.seconds

    @property
    def limits(self) -> Limits:
        """The limits of the processes."""
        return self.processes.limits

    @contextlib.contextmanager
    def fresh(self) -> Iterator[Session]:
        """Start a process with the parameters, for the rest of the stage's time."""
        with self.processes.start(deadline=self.deadline) as session:
            session.hold(self.parameters, self.structure)
            with on_one_core(session.pid):
                yield session
            session.demand_undisturbed()

    @contextlib.contextmanager
    def timed(self, *, gpu: bool = False) -> Iterator[Session]:
        """Start a process with the parameters and the whole time of a stage, for timing."""
        with self.processes.start(gpu=gpu) as session:
            session.hold(self.parameters, self.structure)
            yield session
            session.demand_undisturbed()


@dataclass
class _Run:
    """A fitted cell, and everything for metering, checking and timing its predictions."""

    cell: Cell
    task: Task
    instance: Instance
    models: _Models
    engine: Engine
    parameters: Model
    findings: _Findings

    @functools.cached_property
    def inputs(self) -> Inputs:
        """The inputs of the test split that the submission gets."""
        return shown(self.instance.test, uses_tags=self.cell.uses_tags)

    def in_batches(self, stage: str, inputs: Inputs, domains: np.ndarray[Any, Any] | None = None) -> Pass:
        """Meter inputs in batches, in a new process."""
        with self.findings.clock.stage(stage), self.models.fresh() as session:
            return run_batches(session, self.engine, inputs, domains)

    def alone(self, rows: np.ndarray[Any, Any], before: Recorded | None) -> tuple[Single, Recorded | None]:
        """Meter inputs one by one, in a new process; record the requests, if that is wanted."""
        with self.findings.clock.stage("one by one"), self.models.fresh() as session:
            if self.models.limits.traces:
                return run_recorded(session, self.engine, self.inputs[rows], before)
            return run_single(session, self.engine, self.inputs[rows]), None


def _score(run: _Run) -> tuple[Pass, Cost]:
    """Meter the test split, score the predictions, and audit both."""
    test, findings = run.instance.test, run.findings
    whole = run.in_batches("whole", run.inputs, test.tag)
    with naming_infinities(run.parameters):
        scores = score_predictions(run.task.metric, test.y, whole.predictions, test.tag)
    cost, passes = _cost(run, whole)
    files = size_of_files(run.models.processes.code)
    columns = count_columns(whole, cost) | memory_columns(run.parameters, run.engine.constants, files)
    if run.task.metric == "recall":
        _demand(findings, audits.counting_bound(columns["ops_add_mul_cmp"], test.y, scores.extras["recall"]))
    findings.audits.append(audits.phases_add_up(passes))
    with findings.clock.stage("trials"):
        trials = _try(run, whole)
    findings.audits += trials.audits
    if trials.dense:
        columns["ops_dense"] = trials.dense.of(columns["ops_experts"])
    findings.columns = {"error": scores.error, "quality": scores.quality, **scores.extras, **columns}
    return whole, cost


def _cost(run: _Run, whole: Pass) -> tuple[Cost, dict[str, Pass | Single]]:
    """Find the cost of inputs; see :mod:`sparsebench.evaluate.passes.costs`. Return all passes by name."""
    draw, n = secrets.randbits(63), len(run.inputs)
    run.findings.draws["sample_draw"] = draw
    order = sample_inputs(draw, n, MOST_ALONE)
    sample = order[:SAMPLE]
    single, recorded = run.alone(sample, None)
    # About as many rows at once as in the whole split, so that work is shared in the same way.
    repeated = np.tile(np.arange(len(sample)), max(1, whole.rows // len(sample)))
    together = run.in_batches("together", run.inputs[sample[repeated]])
    _demand(run.findings, audits.alone_as_in_batches(single, whole.predictions[sample]))
    _demand(run.findings, audits.order_invariance(together, whole.predictions[sample]))
    passes: dict[str, Pass | Single] = {"whole": whole, "one by one": single, "together": together}
    if is_one_cost(single, (whole, together)):
        _demand(run.findings, audits.cost_in_batches(""))
        cost = cost_of_batches(whole, single)
    else:
        beside = Beside(together, repeated)
        _demand(run.findings, audits.cost_in_batches(too_dear(single, [beside])))  # before all the others
        single, recorded = _all_alone(run, order, single, recorded)
        passes["one by one"] = single
        cost = _cost_alone(run, whole, order, single, beside)
    _keep_trace(run, single, recorded, order)
    return cost, passes


def _all_alone(
    run: _Run, order: np.ndarray[Any, Any], single: Single, recorded: Recorded | None
) -> tuple[Single, Recorded | None]:
    """Run one by one the inputs that are not in the sample."""
    rest = order[len(single) :]
    if not len(rest):
        return single, recorded
    more, recorded = run.alone(rest, recorded)
    return single.followed_by(more), recorded


def _cost_alone(
    run: _Run, whole: Pass, order: np.ndarray[Any, Any], single: Single, together: Beside
) -> Cost:
    """Return the cost of inputs alone, if their answers are as in batches, and batches cost no more."""
    _demand(run.findings, audits.alone_as_in_batches(single, whole.predictions[order]))
    same = _the_same_in_batches(run, whole, order)
    dear = too_dear(single, [same]) or whole_too_dear(single, whole)
    _demand(run.findings, audits.cost_in_batches(dear))
    return cost_alone(single, same.batched, [same, together])


def _the_same_in_batches(run: _Run, whole: Pass, order: np.ndarray[Any, Any]) -> Beside:
    """Return a pass in batches over the inputs that were run one by one; the whole split, if all were."""
    if len(order) == len(whole.predictions):
        return Beside(whole, np.argsort(order))
    batched = run.in_batches("together", run.inputs[order])
    _demand(run.findings, audits.order_invariance(batched, whole.predictions[order]))
    return Beside(batched, np.arange(len(order)))


def _keep_trace(run: _Run, single: Single, recorded: Recorded | None, order: np.ndarray[Any, Any]) -> None:
    if recorded is not None:
        ids, model_hash = run.instance.test.id[order[: len(single)]], run.findings.model_hash or ""
        run.findings.trace = make_trace(run.cell, recorded, single, ids, run.parameters, model_hash)


def _demand(findings: _Findings, audit: Audit) -> None:
    """Keep an audit, replacing an earlier one of fewer inputs, and require that it passed."""
    findings.audits = [made for made in findings.audits if made.name != audit.name]
    findings.audits.append(audit)
    audits.demand(audit)


def _try(run: _Run, whole: Pass) -> Trials:
    """Make the audits that need runs of their own. A failure to run them does not cost the row its score."""
    few = sample_by_identity(run.cell, run.findings.model_hash or "", len(run.inputs))
    try:
        with run.models.fresh() as session:
            return run_trials(session, run.engine, run.inputs, whole, few)
    except DisturbedError:
        raise
    except CellError as error:
        return no_trials(error)


def _time(run: _Run, whole: Pass, cost: Cost) -> None:
    """Time predictions on fresh inputs, and where there is a GPU that the submission can use, there too.

    If these have labels, the answers are evidence: an error of the metered pass over them is the cell's
    error.
    """
    findings, models = run.findings, run.models
    drawn = draw_inputs(run.task, run.instance, TIMED_ROWS, uses_tags=run.cell.uses_tags)
    findings.draws |= drawn.columns
    try:
        metered = _time_on_cpu(run, drawn)
    except DisturbedError:
        raise
    except CellError as error:
        if drawn.split is not None:
            raise
        findings.timings["cpu"] = Timing(audits.not_run(TIMED[0], error))
    else:
        _check_answers(run, whole, cost, drawn, metered)
        gpu = gpu_name() if models.limits.gpu and run.cell.gpu != "none" else None
        if gpu is not None:
            with _not_run(findings, "gpu"), models.timed(gpu=True) as session:
                findings.timings["gpu"] = time_predictions(
                    session, run.parameters, metered, _orders(run.cell), gpu=True
                )
            findings.gpu = gpu
    findings.audits += [timing.audit for timing in findings.timings.values()]


def _orders(cell: Cell) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(cell.entropy("timing"))))


def _time_on_cpu(run: _Run, drawn: Drawn) -> Metered:
    """Meter fresh inputs, then time predictions on them."""
    with run.models.timed() as session:
        metered = meter_fresh(session, run.engine, drawn.inputs)
        with _not_run(run.findings, "cpu"):
            timing = time_predictions(session, run.parameters, metered, _orders(run.cell))
            run.findings.timings["cpu"] = timing
    return metered


def _check_answers(run: _Run, whole: Pass, cost: Cost, drawn: Drawn, metered: Metered) -> None:
    """Compare answers to fresh inputs, and their cost, with the test split, if there are labels."""
    if drawn.split is None:
        return
    more = dearer_in_batches(cost, metered.batched)
    if cost.counted == "one-by-one":
        run.models.begin_stage()  # whatever time timing took: that does not cost the row its score
        with run.models.fresh() as session:
            single = run_single(session, run.engine, drawn.inputs[drawn.sample])
        audits.demand(audits.alone_as_in_batches(single, metered.predictions[drawn.sample]))
        more = dearer_alone(cost, single)
    audit, columns = check_answers(
        run.task.metric, run.instance.test, whole.predictions, drawn.split, metered.batched, more
    )
    run.findings.columns |= columns
    _demand(run.findings, audit)


@contextlib.contextmanager
def _not_run(findings: _Findings, device: str) -> Iterator[None]:
    """Record that timing failed with an error, which does not cost the row its score."""
    try:
        yield
    except DisturbedError:
        raise
    except CellError as error:
        findings.timings[device] = Timing(audits.not_run(TIMED[device == "gpu"], error))


def _timed(findings: _Findings) -> dict[str, Any]:
    """Return the columns of the timing."""
    columns: dict[str, Any] = {}
    for device, timing in findings.timings.items():
        columns[f"predict_seconds_{device}"] = timing.seconds
        columns[f"predict_backend_{device}"] = timing.backend
    return columns


def _row(cell: Cell, findings: _Findings, status: str, reason: str | None, started: str) -> Row:
    figures = findings.columns | _timed(findings) if status == "ok" else {}
    return Row(
        **provenance_fields(),
        **cell.identity_columns,
        uses_tags=cell.uses_tags,
        fit_variant=cell.fit_variant,
        **findings.draws,
        **figures,
        status=status,
        reason=reason,
        audits=tuple(findings.audits),
        fit_seconds=findings.fit_seconds,
        started=started,
        ended=utc_now(),
        peak_bytes=findings.peak_bytes,
        sandbox=findings.sandbox,
        model_hash=findings.model_hash,
        fit_rows=findings.fit_rows,
        gpu=findings.gpu,
    )
