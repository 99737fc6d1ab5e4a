"""The test that a model has the same quality and cost on fresh inputs of a target as on scored ones.

The test split of a task is public: its answers can be shipped as a table, and nothing in the split shows it.
Fresh inputs of the same target, drawn after the model was made, do show it. Both splits are samples of one
population, so an honest model has the same loss on both, except for chance: and chance exceeds four standard
errors of the difference less than once in 10,000 times.

**The test compares the losses that quality is made of**: for ``nmse`` the squared errors, for ``accuracy``
and ``recall`` the wrong answers. A largest error could not be compared: it is not a mean, and grows with the
sample.

**A submission can make the spread on fresh inputs as large as it likes, at no cost**: with one error of a
million among them, a difference of means is within one standard error whatever the others are. So values are
cut off, at several multiples of the usual value, and the difference must be within chance at each of them:
cut off low, huge values cannot hide the others; cut off high, huge values are seen.

**The spread is the larger of two estimates**: that of both samples together, which is right if few values of
the smaller sample are low (no answer of it is right, by chance), and that of each by itself, which is right
if few are high (three expensive inputs, by chance, instead of one).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.scoring.metrics import score_predictions, tolerance_intervals

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STANDARD_ERRORS", "Answers", "Comparison", "Excess", "compare_qualities", "cost_excesses"]

STANDARD_ERRORS = 4.0
"""By how many standard errors of the difference two samples may differ."""

_LOSS_CAPS = (0.5, 2.0, 8.0)  # multiples of the labels' variance at which squared errors are cut off
_COST_CAPS = (2.0, 8.0)  # multiples of the mean cost at which costs are cut off


class Answers(NamedTuple):
    """The predictions for a split, and the right answers."""

    y: NDArray[Any]
    """Labels ``(n,)``."""
    prediction: NDArray[Any]
    """Predictions of the same rows ``(n,)``."""
    tag: NDArray[Any] | None = None
    """The domain of each row, integers ``(n,)``; None where there are none."""


class Excess(NamedTuple):
    """The excess of a second sample's mean over that of a first."""

    difference: float
    """The second mean less the first."""
    standard_error: float
    """That of the difference, if both samples are of one population."""

    @property
    def standard_errors(self) -> float:
        """The excess in standard errors."""
        return self.difference / self.standard_error if self.standard_error else 0.0

    @property
    def certain(self) -> bool:
        """Whether the excess is more than chance."""
        return self.standard_errors > STANDARD_ERRORS


class Comparison(NamedTuple):
    """The quality on scored inputs, and that on fresh ones."""

    quality: float
    """On the scored ones."""
    fresh: float
    """On the fresh ones."""
    standard_errors: float
    """By how many standard errors of the difference the mean loss on fresh inputs is larger, and so the
    quality smaller."""
    exceeds: bool
    """Whether the quality on scored inputs exceeds that on fresh ones by more than chance."""


def compare_qualities(metric: str, scored: Answers, fresh: Answers) -> Comparison:
    """Compare a model's quality on scored inputs with that on fresh ones.

    Parameters
    ----------
    metric
        One of :data:`sparsebench.scoring.METRICS`.
    scored, fresh
        The answers to both, as :func:`sparsebench.scoring.score_predictions` takes them.

    Returns
    -------
    Comparison
        Quality falls as the mean loss rises, so the excess of a quality is the deficit of its loss, in
        standard errors. Those of a mean loss are known: binomial ones, within each domain, if an answer is
        right or wrong; else those of squared errors. Both samples' squared errors are in units of the scored
        labels' variance, so that chance in the labels does not count.

    Raises
    ------
    SparsebenchError
        As :func:`sparsebench.scoring.score_predictions`.
    """
    quality, again = (
        score_predictions(metric, each.y, each.prediction, each.tag).quality for each in (scored, fresh)
    )
    unit = float(np.var(scored.y, dtype=np.float64)) if metric == "nmse" else 1.0
    lost, lost_again = (_losses(metric, each) / unit for each in (scored, fresh))
    tags = (scored.tag, fresh.tag) if metric == "accuracy" else (None, None)
    caps = _LOSS_CAPS if metric == "nmse" else (math.inf,)
    found = [_excess(np.minimum(lost, cap), np.minimum(lost_again, cap), *tags) for cap in caps]
    exceeds = quality > again and any(excess.certain for excess in found)
    return Comparison(quality, again, max(excess.standard_errors for excess in found), exceeds)


def cost_excesses(scored: NDArray[Any], fresh: NDArray[Any]) -> list[Excess]:
    """Return by how much fresh inputs cost more than scored ones.

    Parameters
    ----------
    scored, fresh
        The operations of each input alone, ``(n,)`` and ``(m,)``.

    Returns
    -------
    list of Excess
        In operations per input: one for each multiple of the scored inputs' mean at which costs are cut off.
    """
    usual = float(np.mean(scored, dtype=np.float64))
    a, b = (each.astype(np.float64) for each in (scored, fresh))
    # If scored inputs cost nothing, there is no usual cost at which to cut off.
    caps = [cap * usual for cap in _COST_CAPS] if usual else [math.inf]
    return [_excess(np.minimum(a, cap), np.minimum(b, cap), None, None) for cap in caps]


def _losses(metric: str, answers: Answers) -> NDArray[np.float64]:
    """Return the loss of each answer: quality falls as its mean rises."""
    y, prediction = answers.y, answers.prediction
    if metric == "accuracy":
        return np.asarray(prediction != y, dtype=np.float64)
    labels, given = y.astype(np.float64), prediction.astype(np.float64)
    if metric == "recall":
        low, high = tolerance_intervals(labels)
        return 1.0 - ((low <= given) & (given <= high)).astype(np.float64)
    errors: NDArray[np.float64] = given - labels
    return errors * errors


def _excess(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    tag: NDArray[Any] | None,
    tag_again: NDArray[Any] | None,
) -> Excess:
    """Compare two means: over all, or over the means of the domains that both samples have."""
    if tag is None or tag_again is None:
        return _of_means(a, b)
    domains = np.intersect1d(tag, tag_again)
    parts = [_of_means(a[tag == domain], b[tag_again == domain]) for domain in domains]
    difference = sum(part.difference for part in parts) / max(1, len(parts))
    return Excess(difference, math.hypot(*(part.standard_error for part in parts)) / max(1, len(parts)))


def _of_means(a: NDArray[np.float64], b: NDArray[np.float64]) -> Excess:
    together = float(np.var(np.concatenate([a, b]))) * (1.0 / len(a) + 1.0 / len(b))
    apart = float(np.var(a)) / len(a) + float(np.var(b)) / len(b)
    return Excess(float(b.mean() - a.mean()), math.sqrt(max(together, apart)))
