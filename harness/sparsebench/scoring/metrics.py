"""From predictions to an error and a quality in [0, 1]: 0 is the best constant predictor, 1 is perfect."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.errors import FailedError, InvalidResultError, NotFoundError, UsageError
from sparsebench.scoring.accuracy import count_right

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "METRICS",
    "Scores",
    "best_constant_recall",
    "most_recalled",
    "score_predictions",
    "tolerance_intervals",
]

_TOLERANCE = 1e-6  # relative to max(1, |y|): a float32 label, with tolerance for its last bit
_LARGEST_RESIDUAL = 1e150  # its square, and the sum of 10^8 such squares, is still a float64
_FAULT_OF_THE_TASK = "this is a fault of the task, not of the submission"


class Scores(NamedTuple):
    """The error and the quality of one prediction of a whole split."""

    error: float
    """The metric's error: ``1 - accuracy``, ``MSE / Var(y)`` or ``1 - recall``. Smaller is better."""
    quality: float
    """In [0, 1]: 0 is the best constant predictor or worse, 1 is perfect."""
    extras: dict[str, float]
    """Other figures of the same prediction: ``accuracy``; ``recall``; ``rmse``, ``nrmse``, ``sup_error``."""


def score_predictions(metric: str, y: ArrayLike, prediction: Any, tag: ArrayLike | None = None) -> Scores:
    """Score the predictions of one split.

    Parameters
    ----------
    metric
        ``"accuracy"``, ``"nmse"`` or ``"recall"``.
    y
        Labels, ``(n,)``: integers for ``accuracy``, else taken as float64.
    prediction
        What ``predict`` returned for the same rows in the same order, ``(n,)``: floats, or, but for ``nmse``,
        integers.
    tag
        The domain of each row, integers ``(n,)``; None if the task has no domains. Only ``accuracy`` depends
        on it.

    Returns
    -------
    Scores
        ``accuracy``: the share of rows whose prediction equals the label, within each domain, averaged over
        the domains; quality is accuracy rescaled so that the best constant has 0. ``recall``: the share of
        rows with ``|prediction - y| <= 1e-6 * max(1, |y|)``; quality is rescaled as for accuracy. ``nmse``:
        mean squared error over the population variance of the labels (as in Baykal et al., arXiv:2208.04461,
        which compare MSE); quality is ``1 - RMSE / std``, never below 0.

    Raises
    ------
    NotFoundError
        The metric does not exist.
    FailedError
        The prediction is not an array, or has the wrong shape or dtype.
    InvalidResultError
        The prediction has NaN or infinity, or is so far off that its error is not finite.
    UsageError
        The labels are empty or all the same, so that no quality is defined; or labels or domains are of the
        wrong kind.
    """
    if metric not in METRICS:
        raise NotFoundError(f"unknown metric {metric!r}", help=f"metrics: {', '.join(METRICS)}")
    if metric == "accuracy":
        classes, domain = _classes(y), None if tag is None else np.asarray(tag)
        _check_prediction(prediction, classes.shape, integers=True)
        return _accuracy(classes, prediction, domain)
    labels = _labels(y)
    _check_prediction(prediction, labels.shape, integers=metric == "recall")
    return _OF_REALS[metric](labels, prediction.astype(np.float64))


def best_constant_recall(y: ArrayLike) -> float:
    """Return the recall of the best constant predictor, exactly.

    A constant is right for a label when it lies in the label's tolerance interval. The largest number of
    intervals with a common point always have the lower end of one of them in common, so it is enough to count
    there: one window over the sorted ends.

    Parameters
    ----------
    y
        Labels, ``(n,)``, with ``n >= 1``.

    Returns
    -------
    float
        Between ``1 / n`` and 1.

    Raises
    ------
    UsageError
        There are no labels.
    """
    labels = _labels(y)
    return _best_constant_hits(labels) / labels.size


def most_recalled(y: ArrayLike) -> float:
    """Return the best constant predictor of the metric ``recall``: see `best_constant_recall`.

    Parameters
    ----------
    y
        Labels, ``(n,)``, with ``n >= 1``.

    Raises
    ------
    UsageError
        There are no labels.
    """
    ends, hits = _hits_of_constants(_labels(y))
    return float(ends[np.argmax(hits)])


def _labels(y: ArrayLike) -> NDArray[np.float64]:
    labels = np.asarray(y, dtype=np.float64)
    _check_some(labels)
    return labels


def _classes(y: ArrayLike) -> NDArray[np.integer[Any]]:
    classes = np.asarray(y)
    _check_some(classes)
    if classes.dtype.kind not in "iu":
        raise UsageError(
            f"metric 'accuracy' needs integer labels, got {classes.dtype}", help=_FAULT_OF_THE_TASK
        )
    return classes


def _check_some(labels: NDArray[Any]) -> None:
    if labels.size == 0:
        raise UsageError("no labels to score", help="a split needs at least one row")


def _best_constant_hits(labels: NDArray[np.float64]) -> int:
    return int(np.max(_hits_of_constants(labels)[1]))


def _hits_of_constants(labels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return the lower ends of the labels' intervals, ascending, and in how many intervals each is."""
    low, high = tolerance_intervals(labels)
    low, high = np.sort(low), np.sort(high)
    begun = np.searchsorted(low, low, side="right")
    over = np.searchsorted(high, low, side="left")
    return low, begun - over


def tolerance_intervals(labels: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and the upper ends of the intervals that count as each label in ``recall``."""
    # Hits are counted with these same ends, so that no constant can have more of them than the best one.
    tolerance = _TOLERANCE * np.maximum(1.0, np.abs(labels))
    return labels - tolerance, labels + tolerance


def _accuracy(labels: NDArray[np.integer[Any]], prediction: NDArray[Any], tag: NDArray[Any] | None) -> Scores:
    if tag is not None and (tag.shape != labels.shape or tag.dtype.kind not in "iu"):
        got = f"shape {tag.shape} and dtype {tag.dtype}"
        raise UsageError(f"expected integer tags of shape {labels.shape}, got {got}", help=_FAULT_OF_THE_TASK)
    right, constant, whole = count_right(labels, prediction, tag)
    if constant == whole:
        raise UsageError(
            "metric 'accuracy' needs labels that differ, got labels of one class", help=_FAULT_OF_THE_TASK
        )
    quality = max(0.0, (right - constant) / (whole - constant))
    return Scores((whole - right) / whole, quality, {"accuracy": right / whole})


def _recall(labels: NDArray[np.float64], prediction: NDArray[np.float64]) -> Scores:
    n, constant = labels.size, _best_constant_hits(labels)
    if constant == n:
        raise UsageError(
            "metric 'recall' needs labels that differ, got labels that one constant fits",
            help=_FAULT_OF_THE_TASK,
        )
    low, high = tolerance_intervals(labels)
    hits = int(np.count_nonzero((low <= prediction) & (prediction <= high)))
    quality = max(0.0, (hits - constant) / (n - constant))
    return Scores((n - hits) / n, quality, {"recall": hits / n})


def _nmse(labels: NDArray[np.float64], prediction: NDArray[np.float64]) -> Scores:
    if np.ptp(labels) == 0.0:
        raise UsageError(
            "metric 'nmse' needs labels that differ, got labels of no variance",
            help=_FAULT_OF_THE_TASK,
        )
    variance = _mean_square(labels - _mean(labels))
    sup_error = _sup_error(labels, prediction)
    mse = _mean_square(prediction - labels)
    nrmse = math.sqrt(mse / variance)
    extras = {"rmse": math.sqrt(mse), "nrmse": nrmse, "sup_error": sup_error}
    return Scores(mse / variance, max(0.0, 1.0 - nrmse), extras)


def _sup_error(labels: NDArray[np.float64], prediction: NDArray[np.float64]) -> float:
    sup_error = float(np.max(np.abs(prediction - labels)))
    if sup_error > _LARGEST_RESIDUAL:
        raise InvalidResultError(
            f"predictions are off by up to {sup_error:.3g}, expected at most {_LARGEST_RESIDUAL:.0e}",
            help="its square is no number: look for an overflow or a division by nearly zero in predict",
        )
    return sup_error


def _mean(values: NDArray[np.float64]) -> float:
    # fsum rounds once: no digit depends on the order of the rows or on the machine's vector width.
    return math.fsum(values) / values.size


def _mean_square(values: NDArray[np.float64]) -> float:
    return _mean(values * values)


_OF_REALS: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], Scores]] = {
    "nmse": _nmse,
    "recall": _recall,
}

METRICS = ("accuracy", *_OF_REALS)
"""The names that ``score_predictions`` knows."""


def _check_prediction(prediction: Any, shape: tuple[int, ...], *, integers: bool) -> None:
    if not isinstance(prediction, np.ndarray):
        raise FailedError(
            f"predict returned {type(prediction).__name__}, expected an array of shape {shape}",
            help="return one array with one number per input",
        )
    if prediction.shape != shape:
        raise FailedError(
            f"predict returned shape {prediction.shape}, expected {shape}",
            help="return one number per input, in the order of the inputs",
        )
    _check_dtype(prediction.dtype, integers=integers)
    _check_finite(prediction)


def _check_dtype(dtype: np.dtype[Any], *, integers: bool) -> None:
    if dtype.kind in ("fiu" if integers else "f") and dtype.itemsize <= np.dtype(np.float64).itemsize:
        return
    expected = "integers, float32 or float64" if integers else "float32 or float64"
    mend = "integers: xp.astype(answer, xp.int64)" if integers else "floats: xp.astype(answer, xp.float32)"
    raise FailedError(f"predict returned dtype {dtype}, expected {expected}", help=f"return {mend}")


def _check_finite(prediction: NDArray[Any]) -> None:
    """Refuse NaN and infinity, without saying which or how many: that would reveal scored inputs."""
    if not np.isfinite(prediction).all():
        raise InvalidResultError(
            "predict returned values that are not finite, expected real numbers",
            help="look for a division by zero, a logarithm of zero or an overflow",
        )
