"""The comparison of a row with its trace, replayed without the submission's code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import IntegrityError, NotFoundError, SparsebenchError
from sparsebench.evaluate.audits.audits import line
from sparsebench.evaluate.passes.counts import raw_counts, single_columns
from sparsebench.evaluate.passes.inputs import shown
from sparsebench.evaluate.passes.sample import MOST_ALONE, SAMPLE, sample_by_identity, sample_inputs
from sparsebench.evaluate.replay.tracing import replay
from sparsebench.meter import COST_MODEL
from sparsebench.meter.traces.trace_reader import read_trace
from sparsebench.results import Audit
from sparsebench.results.columns import lacking
from sparsebench.scoring import score_predictions
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sparsebench.evaluate.passes.passes import Single
    from sparsebench.meter.traces.trace_file import Trace
    from sparsebench.results import Row
    from sparsebench.tasks import Split, Task

__all__ = ["TOLERANCE", "check", "check_trace", "differing", "other_cost_model"]

TOLERANCE = 1e-6
"""By how much a prediction may differ on another machine, relative to its size or to 1: its BLAS may add in
another order. Counts never differ."""


def check(name: str, faults: Iterable[str], detail: str) -> Audit:
    """Return the verdict: ``fail`` with the faults, or ``pass`` with ``detail`` if there are none."""
    found = "; ".join(faults)
    return Audit(name, "fail" if found else "pass", found or detail)


def differing(names: Iterable[tuple[str, Any, Any]]) -> Iterator[str]:
    """Yield what is not as expected: name, expected, got."""
    return (f"{name}: expected {want}, got {got}" for name, want, got in names if want != got)


def other_cost_model(row: Row) -> str:
    """Return that a row was counted with another cost model than the one here; empty if it was not."""
    if row.cost_model == COST_MODEL:
        return ""
    return f"counted by cost model {row.cost_model}; here is cost model {COST_MODEL}"


def check_trace(row: Row, path: Path) -> Iterator[Audit]:
    """Check a row against the file of its trace.

    Yields
    ------
    Audit
        As the checks are made.

    Raises
    ------
    NotFoundError
        If there is no such file.
    """
    if row.status != "ok":
        yield Audit("trace", "not-run", f"status {row.status}: such a row has no trace")
        return
    if not path.is_file():
        message = f"{row.cell_key[:12]}... has no trace: there is no {path}"
        raise NotFoundError(message, help="evaluate the cell again with --traces")
    if other := other_cost_model(row):
        yield Audit("trace", "not-run", other)
        return
    try:
        task = load_task(row.task)
    except SparsebenchError as error:
        yield Audit("trace", "not-run", f"{row.task} is not at hand: {error.what}")
        return
    try:
        yield from _check_file(row, task, path)
    except SparsebenchError as error:
        yield Audit("replay", "fail", line(error))


def _check_file(row: Row, task: Task, path: Path) -> Iterator[Audit]:
    trace = read_trace(path)
    names = ("cell_key", "task", "instance", "model_hash", "cost_model")
    faults = differing((name, getattr(row, name), getattr(trace, name)) for name in names)
    shown = f"{path.stat().st_size:,} bytes, {len(trace.inputs.id)} inputs, {len(trace.streams)} streams"
    yield check("trace", faults, shown)
    test = task.load(row.instance).test
    if row.uses_tags and test.tag is None:
        raise IntegrityError(f"the row says uses_tags, but {row.task}/{row.instance} has no tags")
    drawn, how = _sample(row, len(test))
    ids = test.id[drawn].tolist()
    yield check("sample", _ids(ids, trace.inputs.id, how), f"{len(ids)} inputs, drawn by {how}")
    yield from _check_replay(row, trace, task.metric, test)


def _sample(row: Row, n: int) -> tuple[np.ndarray[Any, Any], str]:
    """Draw the inputs that were run one by one, and return with what they were drawn."""
    if row.sample_draw is None:  # before schema version 4
        return sample_by_identity(row, row.model_hash or "", n), "the identity"
    return sample_inputs(row.sample_draw, n, _most(row)), "the row's sample_draw"


def _most(row: Row) -> int:
    """Return the most inputs that a cell runs one by one."""
    alone = row.sample_draw is not None and row.ops_counted == "one-by-one"
    return MOST_ALONE if alone else SAMPLE


def _ids(drawn: list[int], listed: list[int], how: str) -> Iterator[str]:
    if drawn != listed:
        yield f"the inputs of the trace are not those that {how} draws"


def _check_replay(row: Row, trace: Trace, metric: str, test: Split) -> Iterator[Audit]:
    """Replay the trace, and compare everything in the row and the trace on the one-by-one pass."""
    chosen = _places(test, trace.inputs.id, _most(row))
    single = replay(trace, shown(test, uses_tags=row.uses_tags)[chosen])
    columns = single_columns(single)
    for name in lacking(row.schema_version):
        columns.pop(name, None)
    if row.ops_counted == "one-by-one":
        columns |= {"counts": raw_counts(single.ledger), "counted_inputs": len(chosen)}
    faults = differing((name, getattr(row, name), value) for name, value in columns.items())
    yield check("counts", faults, f"{', '.join(columns)} are as replayed")
    yield check("loads", _loads(trace, single), "every input reads as many parameters as recorded")
    yield _check_predictions(trace, single.predictions)
    yield _check_error(row, metric, test, chosen, single.predictions)


def _places(test: Split, listed: list[int], most: int) -> np.ndarray[Any, Any]:
    """Find the inputs that a trace lists, at most as many as a cell runs: a replay might take years."""
    places = {number: place for place, number in enumerate(test.id.tolist())}
    if not 0 < len(listed) <= most or not all(number in places for number in listed):
        message = f"the trace lists {len(listed)} inputs, expected 1 to {most}, all of the test split"
        raise IntegrityError(message)
    return np.array([places[number] for number in listed])


def _loads(trace: Trace, single: Single) -> Iterator[str]:
    recorded = zip(trace.inputs.loaded_parameters, trace.inputs.loaded_bytes, strict=True)
    got = zip(single.loaded_parameters.tolist(), single.loaded_bytes.tolist(), strict=True)
    for number, want, have in zip(trace.inputs.id, recorded, got, strict=True):
        if want != have:
            told = f"expected {want[0]} elements in {want[1]} bytes, got {have[0]} in {have[1]}"
            yield f"input {number}: {told}"
            return


def _check_predictions(trace: Trace, got: np.ndarray[Any, Any]) -> Audit:
    want = np.array(trace.inputs.prediction)
    if want.tobytes() == got.tobytes():
        return Audit("predictions", "pass", f"all {len(got)} are the same to the last bit")
    same = (want == got) | (np.isnan(want) & np.isnan(got))
    with np.errstate(invalid="ignore"):
        off = np.where(same, 0.0, np.abs(got - want) / np.maximum(1.0, np.abs(want)))
    worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
    if off[worst] <= TOLERANCE:
        differ = int(np.count_nonzero(~same))
        told = f"agree within {TOLERANCE:g}; {differ} differ in their last digits"
        return Audit("predictions", "pass", told)
    detail = f"input {trace.inputs.id[worst]}: expected {want[worst]:.17g}, got {got[worst]:.17g}"
    return Audit("predictions", "fail", detail)


def _check_error(
    row: Row, metric: str, test: Split, chosen: np.ndarray[Any, Any], predictions: np.ndarray[Any, Any]
) -> Audit:
    """Score the predictions. Only those for the whole split must give the row's error."""
    order = np.argsort(chosen)  # in the order of the split, so that sums are the same
    try:
        tag = None if test.tag is None else test.tag[chosen[order]]
        got = score_predictions(metric, test.y[chosen[order]], predictions[order], tag).error
    except SparsebenchError as error:  # a few NaN, or one label only: no fault of the row
        return Audit("error", "not-run", error.what)
    told = f"error {got:g} on the {len(chosen)} replayed inputs; the row has {row.error:g} on {len(test)}"
    whole = np.array_equal(chosen[order], np.arange(len(test)))
    off = whole and row.error is not None and abs(got - row.error) > TOLERANCE * max(1.0, row.error)
    return Audit("error", "fail" if off else "pass", told)
