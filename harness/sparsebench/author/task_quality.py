"""A check that a metric separates answers: the best constant has quality 0, and the labels themselves 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sparsebench.errors import SparsebenchError
from sparsebench.scoring import most_recalled, score_predictions
from sparsebench.tasks.authoring.checking import TaskCheck, chosen_instances, is_made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from sparsebench.tasks import Split, Task

__all__ = ["best_constant", "check_qualities"]

_ROUNDING = (
    1e-9  # of a quality: the rounded mean of the labels does not give exactly their variance as its error
)


def check_qualities(
    task: Task, *, instances: Sequence[str] = (), progress: Callable[[str], None] | None = None
) -> Iterator[TaskCheck]:
    """Check that quality is 0 for the best constant and 1 for the labels, on the test split of each instance.

    Parameters
    ----------
    task, instances, progress
        As for `sparsebench.tasks.authoring.checking.check_task`. Instances are left out that are streamed, or
        neither made yet nor named.

    Yields
    ------
    TaskCheck
        One for each instance, named ``quality``.

    Raises
    ------
    NotFoundError
        If no instance has one of the names.
    """
    for spec in chosen_instances(task, instances):
        if spec.streamed or not (instances or is_made(task, spec)):
            continue
        try:
            test = task.load(spec.name, progress=progress).test
            yield TaskCheck(spec.name, "quality", *_quality(task.metric, test))
        except SparsebenchError as error:
            yield TaskCheck(spec.name, "quality", False, f"{error.what}; {error.help}")


def _quality(metric: str, test: Split) -> tuple[bool, str]:
    constant = best_constant(metric, test)
    answers = np.full(len(test), constant)
    if metric == "nmse":
        labels: NDArray[np.float64] = test.y.astype(np.float64)
    else:
        labels = test.y
    least = score_predictions(metric, test.y, answers, test.tag)
    most = score_predictions(metric, test.y, labels, test.tag)
    told = f"the best constant ({constant:.6g}) has quality {least.quality:.3g}, labels {most.quality:.3g}"
    if least.quality > _ROUNDING or most.quality != 1.0:
        return False, f"{told}, expected 0 and 1; change the labels or the metric"
    return True, f"{told}; the constant's error is {least.error:.4g}"


def best_constant(metric: str, test: Split) -> float:
    """Return the constant with the best value of the metric.

    Parameters
    ----------
    metric
        ``"nmse"``: the mean. ``"recall"``: the number in the most labels' intervals of tolerance.
        ``"accuracy"``: the class with the largest share, averaged over the domains.
    test
        Labels and domains.

    Returns
    -------
    float
    """
    if metric == "nmse":
        return float(np.mean(test.y, dtype=np.float64))
    if metric == "recall":
        return most_recalled(test.y)
    tag = np.zeros(len(test), np.int64) if test.tag is None else test.tag
    classes, domains = np.unique(test.y), np.unique(tag)
    shares = [sum(np.mean(test.y[tag == domain] == each) for domain in domains) for each in classes]
    return float(classes[int(np.argmax(shares))])
