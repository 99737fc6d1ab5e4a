"""Audits: checks of a cell that the harness makes by itself, each with a verdict in the row.

This module has the verdicts on the passes of a score. Audits that need runs of their own are in
:mod:`sparsebench.evaluate.audits.in_another_process`. The text of an audit is the same in every run of a
cell: nothing in it depends on the secret orders.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import CellError, InvalidResultError, SparsebenchError
from sparsebench.results import Audit
from sparsebench.scoring import STANDARD_ERRORS, best_constant_recall, respects_counting_bound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparsebench.evaluate.passes.passes import Pass, Single
    from sparsebench.scoring import Comparison

__all__ = [
    "FEW",
    "TIMED_TOLERANCE",
    "TOLERANCE",
    "alone_as_in_batches",
    "cost_in_batches",
    "counting_bound",
    "demand",
    "fresh_as_scored",
    "line",
    "not_run",
    "order_invariance",
    "phases_add_up",
    "timed_as_metered",
]

TOLERANCE = 1e-6
"""Two predictions agree if they differ by at most this times the larger of 1 and the prediction."""

TIMED_TOLERANCE = 1e-5
"""The same for what is timed, where fast backends of primitives may add float32 in any order."""

FEW = 0.01
"""Share of predictions that may differ: a tie may fall the other way in the last digit."""

_AGREE = f"at most {FEW:.0%} differ by more than {TOLERANCE:g}"

_MENDS = {
    "alone-as-in-batches": "predict must treat every row by itself: no means, ranks or maxima over the batch",
    "order-invariance": "predict must treat every row by itself, wherever it stands in a batch",
    "cost-in-batches": "let rows that are done leave the batch: x = x[active]",
    "known-answers": "compute the answer from the input: stored answers tell nothing of other inputs",
    "counting-bound": "an operation went uncounted: please report it",
}


def line(error: SparsebenchError) -> str:
    """Return an error and its mend in one line."""
    return f"{error.what}; {error.help}" if error.help else error.what


def not_run(name: str, error: CellError) -> Audit:
    """Return an audit that did not finish, with the reason."""
    return Audit(name, "not-run", line(error))


def demand(audit: Audit) -> None:
    """Check that an audit passed without which there is nothing to score.

    Raises
    ------
    InvalidResultError
        If it failed.
    """
    if audit.verdict == "fail":
        raise InvalidResultError(audit.detail, help=_MENDS[audit.name])


def _differing(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], tolerance: float = TOLERANCE) -> float:
    """Return the share of values that differ by more than the tolerance."""
    if a.shape != b.shape:
        return 1.0
    a, b = (c.astype(np.float64) if c.dtype.kind in "iu" else c for c in (a, b))  # unsigned ones wrap round
    with np.errstate(invalid="ignore"):
        close = np.abs(a - b) <= tolerance * np.maximum(1.0, np.abs(b))
    return float(np.mean(~(close | (np.isnan(a) & np.isnan(b))))) if a.size else 0.0


def alone_as_in_batches(single: Single, batched: np.ndarray[Any, Any]) -> Audit:
    """Check that an input's prediction does not depend on the inputs beside it.

    It compares inputs one by one with the same inputs in the batches of the whole split. If it fails, the
    prediction is not a function of params and x.
    """
    share = _differing(single.predictions, batched)
    if share > FEW:
        message = f"{share:.1%} of predictions differ between an input alone and the same input in a batch"
        return Audit("alone-as-in-batches", "fail", message)
    return Audit("alone-as-in-batches", "pass", f"{batched.size} predictions: {_AGREE}")


def order_invariance(together: Pass, batched: np.ndarray[Any, Any]) -> Audit:
    """Check that an input's prediction does not depend on its place, nor on how often it occurs.

    It compares the sampled inputs, repeated, in batches of another order with other neighbours, with the same
    inputs in the batches of the whole split. If it fails, the prediction is not a function of params and x.
    """
    times = len(together.predictions) // max(1, len(batched))
    share = _differing(together.predictions, np.tile(batched, times))
    if share > FEW:
        message = f"{share:.1%} of predictions differ between two orders of batches"
        return Audit("order-invariance", "fail", message)
    return Audit("order-invariance", "pass", f"{batched.size} sampled predictions: {_AGREE}")


def cost_in_batches(too_dear: str) -> Audit:
    """Check that batches cost no more than their rows alone, by at most 1 % or one operation per row.

    If it fails, work is done for rows that no longer need it, or that the rows alone do not need.
    """
    if too_dear:
        return Audit("cost-in-batches", "fail", too_dear)
    return Audit(
        "cost-in-batches", "pass", "no more than the same inputs alone, but for 1 % or one operation"
    )


def fresh_as_scored(quality: Comparison, ops: str) -> Audit:
    """Check that answers to fresh inputs are as good as those to scored ones, at the same cost.

    Parameters
    ----------
    quality
        The comparison of both.
    ops
        By how much fresh inputs cost more; empty if they do not.
    """
    if quality.exceeds:
        detail = (
            f"quality {quality.quality:.4f} on the test split, {quality.fresh:.4f} on fresh inputs of the "
            f"target: {quality.standard_errors:.1f} standard errors apart, at most {STANDARD_ERRORS:g} may be"
        )
        return Audit("known-answers", "fail", detail)
    if ops:
        return Audit("known-answers", "fail", ops)
    told = f"quality does not exceed that on fresh inputs by {STANDARD_ERRORS:g} standard errors"
    return Audit("known-answers", "pass", f"{told}, nor do they cost more")


def counting_bound(add_mul_cmp: float, y: np.ndarray[Any, Any], recall: float) -> Audit:
    """Check that memorization did not cost less than it can (Koyuncu 2023: n <= T 2^T).

    If it fails, something was not counted.
    """
    n = len(y)
    each = n * best_constant_recall(y)
    memorized = round(recall * n)
    if memorized and not respects_counting_bound(
        add_mul_cmp, memorized, n_inputs=n, labels_per_value=round(each)
    ):
        message = f"{add_mul_cmp:g} operations per input are fewer than memorizing {memorized} labels takes"
        return Audit("counting-bound", "fail", message)
    return Audit("counting-bound", "pass", f"{add_mul_cmp:g} operations per input, {memorized} labels")


def timed_as_metered(
    timed: np.ndarray[Any, Any], metered: np.ndarray[Any, Any], name: str = "timed-as-metered"
) -> Audit:
    """Check that the timed code and the counted code give the same predictions.

    Both get the same fresh inputs: the submission's process never sees a scored input. If it fails, the time
    is that of another computation, and is not kept.
    """
    share = _differing(timed, metered, TIMED_TOLERANCE)
    verdict = "fail" if share > FEW else "pass"
    detail = (
        f"{share:.1%} of {metered.size} predictions on fresh inputs differ by more than {TIMED_TOLERANCE:g}"
    )
    return Audit(name, verdict, f"{detail}; at most {FEW:.0%} may")


def phases_add_up(passes: Mapping[str, Pass | Single]) -> Audit:
    """Check that the charges of the phases are all charges.

    It compares the ledgers of all passes, summed over phases and dtypes, with the amounts that the engine
    adds up a second time when it charges. If it fails, the meter has lost or invented operations, which is a
    defect of ours.
    """
    for name, metered in passes.items():
        phased: Counter[str] = Counter()
        for entry in metered.ledger:
            phased[entry.kind] += entry.amount
        for kind in sorted(phased | metered.total):
            if phased[kind] != metered.total[kind]:
                detail = (
                    f"{name}: {phased[kind]} {kind} in phases, {metered.total[kind]} in all; please report it"
                )
                return Audit("phases-add-up", "fail", detail)
    return Audit("phases-add-up", "pass", f"every kind of operation in {len(passes)} passes")
