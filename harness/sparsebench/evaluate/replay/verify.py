"""The verification of a stored row.

A row is checked by itself, by its trace (:mod:`sparsebench.evaluate.replay.verify_trace`), and by another run
of its cell (:mod:`sparsebench.evaluate.replay.verify_rerun`).

Rows and traces come from strangers: their texts are shown in printable characters and limited length.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from sparsebench.errors import IntegrityError, NotFoundError, SparsebenchError, UsageError
from sparsebench.evaluate.passes.counts import price_columns
from sparsebench.evaluate.replay.verify_rerun import check_rerun
from sparsebench.evaluate.replay.verify_trace import check, check_trace, differing, other_cost_model
from sparsebench.ground.line_ends import BY_LINE_ENDS
from sparsebench.meter import Entry, Ledger
from sparsebench.models import find_submission
from sparsebench.results import Audit
from sparsebench.results.columns import lacking
from sparsebench.results.demanded import SCORED, missing_audits
from sparsebench.tasks import load_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sparsebench.results import Row

__all__ = ["SHORTEST", "find_rows", "standing", "verify_row"]

SHORTEST = 6
"""Digits of a cell key that it takes to name a row."""

_LONGEST = 64
_LONGEST_DETAIL = 500


def find_rows(rows: Sequence[Row], reference: str) -> list[Row]:
    """Find the rows that a reference names.

    Parameters
    ----------
    rows
        One per cell.
    reference
        The beginning of a cell key, or ``all``.

    Raises
    ------
    UsageError
        If it is too short, or several keys begin with it.
    NotFoundError
        If no key begins with it.
    """
    if reference == "all":
        return list(rows)
    mend = "`sparsebench results show` prints the beginning of every cell key"
    if len(reference) < SHORTEST:
        message = f"expected at least {SHORTEST} digits of a cell key, or all, got {reference!r}"
        raise UsageError(message, help=mend)
    found = [row for row in rows if row.cell_key.startswith(reference.lower())]
    if not found:
        raise NotFoundError(f"there is no row whose cell key begins with {reference[:_LONGEST]!r}", help=mend)
    if len(found) > 1:
        keys = ", ".join(row.cell_key[: len(reference) + 6] for row in found)
        raise UsageError(f"{len(found)} rows have a key that begins with {reference!r}: {keys}", help=mend)
    return found


def verify_row(row: Row, trace: Path | None = None, reruns: Sequence[Row] | None = None) -> Iterator[Audit]:
    """Check a row.

    Parameters
    ----------
    row
        The row.
    trace
        The file of its trace, see :func:`sparsebench.evaluate.replay.tracing.trace_path`; None to leave out
        this check.
    reruns
        Rows among which there is another run of its cell; None to leave out this check.

    Yields
    ------
    Audit
        As the checks are made; ``not-run`` for checks that cannot be made here. A broken file is a ``fail``.

    Raises
    ------
    NotFoundError
        If there is no such file, or no other run: after all other checks.
    """
    for made in _checks(row, trace, reruns):
        yield replace(made, detail=_printable(made.detail))


def standing(checks: Sequence[Audit]) -> str:
    """Return the conclusion from the checks of a row, in a few words.

    Parameters
    ----------
    checks
        All checks that :func:`verify_row` yielded.

    Returns
    -------
    str
        ``does not hold`` if one failed; ``agrees with its trace``, ``agrees with a rerun`` or both, if these
        were checked; else ``consistent by itself``: anybody who writes a row can make it so.
    """
    verdicts = {made.name: made.verdict for made in checks}
    if "fail" in verdicts.values():
        return "does not hold"
    counts = "" if verdicts.get("same-counts") != "not-run" else " but for its counts"
    held = {"predictions": "its trace", "rerun": f"a rerun{counts}"}
    told = " and ".join(what for name, what in held.items() if verdicts.get(name) == "pass")
    return f"agrees with {told}" if told else "consistent by itself"


def _checks(row: Row, trace: Path | None, reruns: Sequence[Row] | None) -> Iterator[Audit]:
    yield from _check_itself(row)
    yield _check_task(row)
    yield _check_submission(row)
    yield _check_prices(row)
    yield _check_audits(row)
    absent = []
    for more in (
        () if trace is None else check_trace(row, trace),
        () if reruns is None else check_rerun(row, reruns),
    ):
        try:
            yield from more
        except NotFoundError as error:  # one check can be made without the other
            absent.append(error)
    if absent:
        raise absent[0]


def _printable(text: str) -> str:
    """Return a stranger's text in printable form, since a terminal obeys some characters."""
    shown = text if len(text) <= _LONGEST_DETAIL else f"{text[:_LONGEST_DETAIL]}..."
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in shown)


def _check_itself(row: Row) -> Iterator[Audit]:
    try:
        row.validate()
        yield Audit("row", "pass", "every field is of its type, in its range, and agrees with the others")
    except IntegrityError as error:
        yield Audit("row", "fail", error.what)
    faults = differing([("cell_key", row.expected_key(), row.cell_key)])
    yield check("cell-key", faults, f"{row.cell_key} follows from the identity")


def _check_task(row: Row) -> Audit:
    try:
        task = load_task(row.task)
    except SparsebenchError as error:
        return Audit("task", "not-run", f"{row.task} is not at hand: {error.what}")
    spec = task.instances.get(row.instance)
    hashes = [("task_hash", task.hash, row.task_hash)]
    hashes.append(("instance_hash", spec.hash if spec else "no such instance", row.instance_hash))
    return check("task", differing(hashes), f"{row.task} and {row.instance} are those that are installed")


def _check_submission(row: Row) -> Audit:
    try:
        found = find_submission(row.submission)
    except NotFoundError:
        detail = f"{row.submission} is not at hand: it is neither shipped nor a folder here"
        return Audit("submission", "not-run", detail)
    except SparsebenchError as error:
        return Audit("submission", "not-run", f"{row.submission} is not at hand: {error.what}")
    told = [
        ("submission_hash", found.hash, row.submission_hash),
        ("uses_tags", found.manifest.uses_tags, row.uses_tags),
    ]
    if row.variant not in {variant.name for variant in found.manifest.variants}:
        told.append(("variant", "one of its submission.toml", row.variant))
    if "fit_variant" not in lacking(row.schema_version):
        fits = {variant.name: variant.fit for variant in found.manifest.variants}
        told.append(("fit_variant", fits.get(row.variant), row.fit_variant))
    faults = list(differing(told))
    if found.hash != row.submission_hash and found.differs_by_line_ends(row.submission_hash):
        faults[0] += BY_LINE_ENDS
    return check("submission", faults, f"{row.submission} at hand has the hash {found.hash[:12]}...")


def _check_prices(row: Row) -> Audit:
    """Price the raw counts again, and compare exactly: the floats are quotients of the same integers."""
    if row.status != "ok" or row.counts is None or not row.counted_inputs:
        return Audit("prices", "not-run", f"status {row.status}: there are no counts")
    if other := other_cost_model(row):
        return Audit("prices", "not-run", other)
    try:
        ledger = Ledger(Entry(count.phase, count.kind, count.dtype, count.count) for count in row.counts)
        priced = price_columns(ledger, row.counted_inputs)
    except (KeyError, TypeError) as error:
        return Audit("prices", "fail", f"counts: expected known kinds and dtypes, got {error}")
    faults = differing((name, value, getattr(row, name)) for name, value in priced.items())
    return check(
        "prices", faults, f"{', '.join(priced)} follow from the counts of {row.counted_inputs} inputs"
    )


def _check_audits(row: Row) -> Audit:
    """Check the audits that a score requires. The task says which, if it is available."""
    if row.status != "ok":
        return Audit("audits", "not-run", f"status {row.status}: there is no score")
    metric, fresh = None, False
    with contextlib.suppress(SparsebenchError):
        task = load_task(row.task)
        spec = task.instances.get(row.instance)
        metric, fresh = task.metric, spec is not None and spec.fresh
    missing = missing_audits(row, metric=metric, fresh=fresh)
    faults = (f"{name}: expected once, with the verdict pass, got {_verdicts(row, name)}" for name in missing)
    made = ", ".join(audit.name for audit in row.audits if audit.name in SCORED)
    return check("audits", faults, f"the score rests on {made}: each passed")


def _verdicts(row: Row, name: str) -> str:
    return " and ".join(audit.verdict for audit in row.audits if audit.name == name) or "none"
