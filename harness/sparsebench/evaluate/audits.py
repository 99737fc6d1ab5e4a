"""Audits: checks of a cell that the harness makes by itself, each with a verdict in the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import InvalidResultError
from sparsebench.results import Audit
from sparsebench.scoring import best_constant_recall, respects_counting_bound

if TYPE_CHECKING:
    from sparsebench.evaluate.metering import Single

__all__ = ["alone_as_in_batches", "counting_bound", "timed_as_metered"]

_TOLERANCE = 1e-6
_FEW = 0.01  # share of inputs that may differ: a tie may fall the other way in the last digit


def _differing(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    """Share of values that differ by more than the tolerance."""
    if a.shape != b.shape:
        return 1.0
    with np.errstate(invalid="ignore"):
        close = np.abs(a - b) <= _TOLERANCE * np.maximum(1.0, np.abs(b))
    return float(np.mean(~(close | (np.isnan(a) & np.isnan(b))))) if a.size else 0.0


def alone_as_in_batches(single: Single, batched: np.ndarray[Any, Any]) -> Audit:
    """Check that an input's prediction does not depend on the inputs beside it.

    Raises
    ------
    InvalidResultError
        If it does: such a prediction is not a function of params and x.
    """
    share = _differing(single.predictions, batched)
    if share > _FEW:
        raise InvalidResultError(
            f"{share:.1%} of predictions differ between an input alone and the same input in a batch",
            help="predict must treat every row by itself: no means, ranks or maxima over the batch",
        )
    return Audit("alone-as-in-batches", "pass", f"{share:.1%} of {batched.size} sampled predictions differ")


def counting_bound(add_mul_cmp: float, y: np.ndarray[Any, Any], recall: float) -> Audit:
    """Check that memorization did not cost less than it can (Koyuncu 2023: n <= T 2^T).

    Raises
    ------
    InvalidResultError
        If it did: then something was not counted.
    """
    n = len(y)
    each = n * best_constant_recall(y)
    memorized = round(recall * n)
    if memorized and not respects_counting_bound(
        add_mul_cmp, memorized, n_inputs=n, labels_per_value=round(each)
    ):
        raise InvalidResultError(
            f"{add_mul_cmp:g} operations per input are fewer than memorizing {memorized} labels takes",
            help="an operation went uncounted: please report it",
        )
    return Audit("counting-bound", "pass", f"{add_mul_cmp:g} operations per input, {memorized} labels")


def timed_as_metered(timed: np.ndarray[Any, Any], metered: np.ndarray[Any, Any]) -> Audit:
    """Check that the code that was timed predicts what the code that was counted predicts."""
    share = _differing(timed, metered)
    verdict = "fail" if share > _FEW else "pass"
    return Audit(
        "timed-as-metered", verdict, f"{share:.1%} of {metered.size} predictions on fresh inputs differ"
    )
