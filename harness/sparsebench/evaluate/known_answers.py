"""Fresh inputs for timing and, if the task's generator can label them, for checking answers.

The test split of most tasks is public, so a submission can ship its answers as a table: cheap and right, but
no answer to the question. If the generator can label new inputs of the same target, the inputs for timing are
such, by a seed that is secret until the row is written; and the metered pass over them, which timing needs
anyway, distinguishes the table from the model. A submission may notice fresh inputs: by the number of rows,
or because they are not in its table. To ensure that it does the same work on them,

- its answers must be as good as those that are scored (:func:`sparsebench.scoring.compare_qualities`);
- they must not cost more: if a submission finds that an input is not in its table, and then works honestly,
its costs reveal this;
- an error there is the cell's error, not only the timing's.

Only one case remains: stored answers for so few inputs that four standard errors hide them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import UsageError
from sparsebench.evaluate.audits import audits
from sparsebench.evaluate.passes.inputs import fresh, shown
from sparsebench.evaluate.passes.sample import SAMPLE, sample_inputs
from sparsebench.results import Audit, dearer
from sparsebench.scoring import Answers, compare_qualities, cost_excesses

if TYPE_CHECKING:
    from sparsebench.evaluate.passes.costs import Cost
    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.passes.passes import Pass, Single
    from sparsebench.tasks import Instance, Split, Task

__all__ = ["Drawn", "check_answers", "dearer_alone", "dearer_in_batches", "draw_inputs"]

_SEED_BITS = 63


@dataclass(frozen=True)
class Drawn:
    """Inputs that no submission has seen."""

    inputs: Inputs
    """The arguments that a submission gets."""
    split: Split | None = None
    """The inputs with labels; None if the generator cannot label them."""
    seed: int = 0
    """The seed of the draw."""

    @property
    def columns(self) -> dict[str, int]:
        """The columns with which the draw can be repeated: column -> value."""
        return {} if self.split is None else {"fresh_seed": self.seed, "fresh_inputs": len(self.inputs)}

    @property
    def sample(self) -> np.ndarray[Any, Any]:
        """The inputs that are run one by one, if that is needed."""
        return sample_inputs(self.seed, len(self.inputs), SAMPLE)


def draw_inputs(task: Task, instance: Instance, n: int, *, uses_tags: bool) -> Drawn:
    """Draw fresh inputs by a secret seed: with labels if the task's generator can, else made from train.

    Raises
    ------
    SparsebenchError
        As :meth:`sparsebench.tasks.Task.fresh`.
    """
    seed = secrets.randbits(_SEED_BITS)
    split = task.fresh(instance, seed, n)
    if split is not None:
        return Drawn(shown(split, uses_tags=uses_tags), split, seed)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    return Drawn(fresh(instance.train, rng, n, uses_tags=uses_tags), seed=seed)


def check_answers(
    metric: str, test: Split, predictions: np.ndarray[Any, Any], drawn: Split, metered: Pass, more: str
) -> tuple[Audit, dict[str, float]]:
    """Compare the answers to fresh inputs with the scored answers.

    Parameters
    ----------
    metric
        The task's.
    test, predictions
        The scored answers.
    drawn, metered
        Fresh inputs, and the predictions for them.
    more
        By how much they cost more, as text from :func:`dearer_alone` and :func:`dearer_in_batches`.

    Returns
    -------
    audit, columns
        The verdict, and columns of the row.
    """
    try:
        found = compare_qualities(
            metric,
            Answers(test.y, predictions, test.tag),
            Answers(drawn.y, metered.predictions, drawn.tag),
        )
    except UsageError as error:  # a small or one-sided draw: no fault of the submission
        return Audit("known-answers", "not-run", error.what), {}
    return audits.fresh_as_scored(found, more), {"quality_fresh": found.fresh}


def dearer_in_batches(cost: Cost, metered: Pass) -> str:
    """Return how much more fresh inputs cost, if scored ones all cost the same; empty if they do not."""
    ops, again = cost.ops, metered.ops / len(metered.predictions)
    return _told(again, ops) if dearer(again, ops) else ""


def dearer_alone(cost: Cost, single: Single) -> str:
    """Return how much more fresh inputs cost, one by one, than scored ones; empty if they do not.

    More means by over four standard errors, 1 % and one operation: in the mean, and in means with single
    costs cut off, so that a few huge costs of fresh inputs, where they are free, hide nothing.
    """
    scored, again = cost.single.prices["ops"], single.prices["ops"]
    for excess in cost_excesses(scored, again):
        if excess.certain and dearer(cost.ops + excess.difference, cost.ops):
            return (
                f"{_told(float(again.mean()), cost.ops)}: {excess.standard_errors:.1f} standard errors apart"
            )
    return ""


def _told(again: float, ops: float) -> str:
    return f"fresh inputs of the same target cost {again:.6g} operations, those of the test split {ops:.6g}"
