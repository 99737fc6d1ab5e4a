"""Shipped submissions, fitted in this process to samples of a study's own: never for a score."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.author.inprocess import guest
from sparsebench.models import find_submission
from sparsebench.models.opening import construct
from sparsebench.studies.metered import Counted, counted
from sparsebench.tasks import Split, TaskInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from sparsebench.models import Submission

__all__ = ["Fitted", "opened", "regression", "samples"]


class Fitted(NamedTuple):
    """A fitted submission."""

    submission: Submission
    params: dict[str, NDArray[Any]]

    def answers(self, x: NDArray[Any]) -> NDArray[Any]:
        """Predict on plain arrays."""
        return np.asarray(self.submission.predict(self.params, x))

    def counted(self, x: NDArray[Any]) -> Counted:
        """Count what the first input takes."""
        return counted(self.submission.predict, self.params, x)


@contextlib.contextmanager
def opened(name: str) -> Iterator[Callable[..., Submission]]:
    """Open a shipped submission for a while.

    Parameters
    ----------
    name
        Of the submission.

    Yields
    ------
    callable
        Takes what its entry takes: facts of a task, and settings by name.
    """
    folder = find_submission(name)
    with guest(folder):

        def make(info: TaskInfo, **settings: Any) -> Submission:
            return construct(folder.path, folder.manifest.entry, info, settings)

        yield make


def samples(x: NDArray[Any], y: NDArray[Any]) -> Split:
    """Make a split of inputs ``(n, ...)`` and real labels ``(n,)``, in float32 as tasks have them."""
    return Split(np.arange(len(x)), x.astype(np.float32), y.astype(np.float32), None)


def regression(d: int, metric: str = "nmse") -> TaskInfo:
    """Return the facts of a task of real labels, of d numbers an input."""
    return TaskInfo("own@1", metric, (d,), "float32")
