"""The comparison of a row with another run of its cell, on this machine or on another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sparsebench.errors import NotFoundError
from sparsebench.evaluate.replay.verify_trace import check, differing
from sparsebench.evaluate.timing import TIMED
from sparsebench.results import COLUMNS, COUNTS, Audit, may_differ
from sparsebench.results.agreement import NEAR_ZERO, RELATIVE, ROUNDED, agree
from sparsebench.results.columns import lacking
from sparsebench.results.demanded import SCORED, missing_audits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sparsebench.results import Row

__all__ = ["check_rerun", "find_rerun"]

_OF_SAMPLES = frozenset(
    (
        *("stored_parameters", "stored_bytes", "memory_bytes"),
        *("test_inputs", "sample_size", "counted_inputs", "ops_counted"),
    )
)  # the counts that do not depend on the draw of a sample
_DENSE = "executed-within-dense"
_AMPLIFIES = (
    "training by gradient descent over many steps amplifies rounding: such a row verifies on the same BLAS "
    "and processor"
)


def find_rerun(row: Row, rows: Sequence[Row]) -> Row:
    """Find the newest other run of a row's cell. The row itself, or a copy of it, is not one.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    runs = [other for other in rows if other.cell_key == row.cell_key]
    others = [other for other in runs if other.started != row.started]
    if others:
        return max(others, key=lambda other: other.ended)
    found = "only the row itself" if runs else "no row of its cell"
    mend = "evaluate its cell again, `sparsebench eval ... --output DIR`, and give --rerun DIR"
    raise NotFoundError(f"{row.cell_key[:12]}... has no rerun: found {found}", help=mend)


def check_rerun(row: Row, rows: Sequence[Row]) -> Iterator[Audit]:
    """Check a row against the newest other run of its cell.

    Parameters
    ----------
    row
        The row.
    rows
        Where to look for another run.

    Yields
    ------
    Audit
        As the checks are made: counts are compared to the last digit, error and quality to a relative 1e-9.

    Raises
    ------
    NotFoundError
        If there is no other run.
    """
    rerun = find_rerun(row, rows)
    common = ("status", "uses_tags", "fit_rows", "fit_variant")
    pairs = [(name, getattr(row, name), getattr(rerun, name)) for name in _known(common, row, rerun)]
    machines = _machines(row, rerun) or f"{_machine(row)}, both times"
    yield check("rerun", differing(pairs), f"run again {rerun.started}: {machines}")
    if row.status != "ok" or rerun.status != "ok":
        return
    yield _check_counts(row, rerun)
    yield (scores := _check_scores(row, rerun))
    yield _check_model(row, rerun, same_scores=scores.verdict == "pass")
    yield _check_audits(row, rerun)


def _known(names: Sequence[str], row: Row, rerun: Row) -> Iterator[str]:
    """Return the columns without those that one of the rows is too old to have."""
    absent = {*lacking(row.schema_version), *lacking(rerun.schema_version)}
    return (name for name in names if name not in absent)


def _machine(row: Row) -> str:
    return f"BLAS {row.blas or 'unknown'}, processor {row.cpu} ({row.cpu_model or 'model unknown'})"


def _machines(row: Row, rerun: Row) -> str:
    """Return the BLAS and the processor of both, which explain different digits; empty if they are equal."""
    first, second = _machine(row), _machine(rerun)
    return "" if first == second else f"made with {first}; run again with {second}"


def _told(row: Row, rerun: Row, faults: Sequence[str], *more: str) -> Sequence[str]:
    """Put an explanation of faults before them, since the end of the text may be cut off."""
    machines = _machines(row, rerun) if faults else ""
    return (machines, *more, *faults) if machines else faults


def _check_counts(row: Row, rerun: Row) -> Audit:
    """Compare counts to the last digit. Counts of a sample are of other inputs in every run."""
    drawn = may_differ(row) | may_differ(rerun)
    left_out = drawn - _OF_SAMPLES | ROUNDED
    if dense := _dense_is_of_other_inputs(row, rerun):
        left_out |= {"ops_dense"}
    names = [name for name in _known(COLUMNS, row, rerun) if name in COUNTS - left_out]
    faults = [*differing((name, getattr(row, name), getattr(rerun, name)) for name in names)]
    if "ops" in drawn and not faults:
        told = f"counts are of {row.counted_inputs} of {row.test_inputs} inputs, which every run draws anew"
        return Audit("same-counts", "not-run", f"{told}: only a replay of the row's trace tells")
    told = f"{len(names)} columns are the same to the last digit"
    return check("same-counts", _told(row, rerun, faults), f"{told}{dense}")


def _dense_is_of_other_inputs(row: Row, rerun: Row) -> str:
    """Return why ``ops_dense`` cannot be compared: the model's hash draws its inputs, if time allows."""
    if row.model_hash != rerun.model_hash:
        return "; ops_dense is left out: the model's hash says on which inputs it is measured"
    if _verdicts(row).get(_DENSE) != _verdicts(rerun).get(_DENSE):
        return f"; ops_dense is left out: the audit {_DENSE} did not come to an end in both runs"
    return ""


def _check_scores(row: Row, rerun: Row) -> Audit:
    compared = set(ROUNDED)
    if row.fresh_seed is not None and _drawn(row) == _drawn(rerun):
        compared.add("quality_fresh")
    if "ops" in may_differ(row) | may_differ(rerun):
        compared -= COUNTS
    names = [name for name in COLUMNS if name in compared]
    pairs = [(name, getattr(row, name), getattr(rerun, name)) for name in names]
    faults = [*differing(pair for pair in pairs if not agree(*pair[1:]))]
    if faults:
        return check("same-scores", _told(row, rerun, faults, _AMPLIFIES), "")
    told = ", ".join(name for name, first, _ in pairs if first is not None)
    largest = max(abs(first - second) for _, first, second in pairs if first is not None)
    digits = f"to a relative {RELATIVE:g}, or {NEAR_ZERO:g} near 0; the largest difference is {largest:.1g}"
    return Audit("same-scores", "pass", f"{told} agree {digits if largest else 'to the last digit'}")


def _drawn(row: Row) -> tuple[int | None, int | None]:
    return row.fresh_seed, row.fresh_inputs


def _check_model(row: Row, rerun: Row, *, same_scores: bool) -> Audit:
    """Compare models' hashes. A different hash is no mismatch if rounding explains it."""
    faults = [*differing([("model_hash", row.model_hash, rerun.model_hash)])]
    if not faults:
        verdict = "pass" if row.model_hash else "not-run"
        return Audit("same-model", verdict, f"the same arrays: {row.model_hash or 'neither row names them'}")
    if not same_scores or None in {row.model_hash, rerun.model_hash}:
        return check("same-model", _told(row, rerun, faults), "")
    told = (
        "model differs in rounding: its hash is another, and error and quality agree to a relative "
        f"{RELATIVE:g}; models agree to a relative {RELATIVE:g} only, and hashes cannot"
    )
    return Audit(
        "same-model", "pass", f"{told}; {_machines(row, rerun) or 'BLAS and processor are the same'}"
    )


def _check_audits(row: Row, rerun: Row) -> Audit:
    """Compare verdicts: pass against fail. An audit that did not run contradicts nothing."""
    first, second = _verdicts(row), _verdicts(rerun)
    # Audits on which no score depends try inputs that the model's hash draws.
    names = first.keys() & second.keys() & (first.keys() if row.model_hash == rerun.model_hash else {*SCORED})
    pairs = [(name, first[name], second[name]) for name in first if name in names]
    faults = [*differing(pair for pair in pairs if "not-run" not in pair[1:])]
    faults += [
        f"{name}: expected pass in the rerun too, got another verdict" for name in missing_audits(rerun)
    ]
    return check("same-audits", faults, f"{len(pairs)} audits have no other verdict")


def _verdicts(row: Row) -> dict[str, str]:
    """Return the verdicts without those of the timing, which may fail for lack of time: name -> verdict."""
    return {audit.name: audit.verdict for audit in row.audits if audit.name not in TIMED}
