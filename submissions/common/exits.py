"""What models with exits share: how sure an answer is, and how sure it must be for an input to leave."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench import ops

__all__ = ["error_head", "surest", "threshold"]

RIDGE = 1e-3  # of a least-squares fit, as a share of the features' mean square


def surest(logits: Any) -> tuple[Any, Any]:
    """Choose the class of the largest logit, and say how far the next one lies behind, in array API code.

    It is the cheapest measure of confidence: nothing is exponentiated, and the search for the largest is
    needed anyway. It costs 1 subtraction and ``ceil(log2 c)`` comparisons more than ``argmax``.

    Parameters
    ----------
    logits
        Real ``(n, c)``, c at least 2.

    Returns
    -------
    integer array ``(n,)``
        The classes, the lower one of equals.
    real array ``(n,)``
        Largest minus second, at least 0.
    """
    largest, classes = ops.top_k(logits, 2)
    return classes[:, 0], largest[:, 0] - largest[:, 1]


def error_head(seen: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Fit what tells from features how sure a real answer is: minus the squared error to be expected.

    Of all functions the conditional mean of the squared error is what least squares tend to, and sending on
    the inputs where it is largest leaves the least mean squared error.

    Parameters
    ----------
    seen
        Features ``(n, w)``.
    errors
        Errors of the answers, ``(n,)``.

    Returns
    -------
    numpy.ndarray
        float64 ``(w + 1,)``: weights, then the intercept.
    """
    inputs = np.column_stack([seen, np.ones(len(seen))]).astype(np.float64)
    gram = inputs.T @ inputs
    ridge = RIDGE * max(float(np.trace(gram)) / len(gram), np.finfo(np.float32).tiny)
    return np.linalg.solve(gram + ridge * np.eye(len(gram)), -inputs.T @ errors.astype(np.float64) ** 2)


def threshold(confidence: np.ndarray, share: float) -> float:
    """Give what a share of inputs is surer than: the quantile of their confidence.

    Parameters
    ----------
    confidence
        ``(n,)``; none where none have come so far, which all who come may leave.
    share
        How many shall leave, from 0 to 1.
    """
    return float(np.quantile(confidence, 1.0 - share)) if len(confidence) else -np.inf
