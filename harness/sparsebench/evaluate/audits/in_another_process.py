"""Audits that need runs of their own, all in one more process, after the score's passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparsebench.errors import CellError, MemoryLimitError, TimeLimitError
from sparsebench.evaluate.audits.audits import line, not_run
from sparsebench.evaluate.audits.dense import Dense, executed_within_dense
from sparsebench.evaluate.audits.poison import expert_poison, unread_parameters
from sparsebench.evaluate.passes.metering import run_rows
from sparsebench.results import Audit

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.passes.passes import Batch, Model, Pass
    from sparsebench.meter import Engine

__all__ = ["POISONED", "Trials", "no_trials", "repeats", "run_trials"]

POISONED = 8
"""Inputs that are run with poison."""

_FORCED = 2  # inputs to run with every expert

_NAMES = ("repeats", "expert-poison", "unread-parameters", "executed-within-dense")


@dataclass(frozen=True)
class Trials:
    """The results of the trials."""

    audits: tuple[Audit, ...]
    """Their verdicts."""
    dense: Dense | None
    """What every expert costs, where it could be measured."""


def run_trials(
    model: Model, engine: Engine, inputs: Inputs, whole: Pass, few: np.ndarray[Any, Any]
) -> Trials:
    """Make the audits that need runs of their own.

    Parameters
    ----------
    model
        The model in a process that has seen nothing yet: its first batch is the first one of ``whole``, so
        that the process cannot notice the difference.
    engine
        Holds the model's parameters.
    inputs
        Those of ``whole``.
    whole
        The pass that was scored.
    few
        The numbers of sampled rows of it.
    """
    assert whole.first is not None
    first = whole.first
    audits = [
        _made("repeats", lambda: repeats(model, engine, inputs, first)),
        _made("expert-poison", lambda: expert_poison(model, engine, inputs[few[:POISONED]])),
        _made("unread-parameters", lambda: unread_parameters(model, engine, inputs[few[:POISONED]])),
    ]
    within, dense = executed_within_dense(model, engine, inputs[few[:_FORCED]], whole)
    return Trials((*audits, within), dense)


def no_trials(error: CellError) -> Trials:
    """Return the verdicts for the case that there is no process for the trials."""
    return Trials(tuple(not_run(name, error) for name in _NAMES), None)


def _made(name: str, audit: Callable[[], Audit]) -> Audit:
    try:
        return audit()
    except CellError as error:
        return not_run(name, error)


def repeats(model: Model, engine: Engine, inputs: Inputs, first: Batch) -> Audit:
    """Check that the same batch in the same order gives the same bits and the same counts in another process.

    If it fails, predict is not a function of params and x: it draws random numbers, reads a clock, or keeps
    state.

    Raises
    ------
    CellError
        If time or memory run out.
    """
    try:
        predictions, _ = run_rows(model, engine, inputs[first.rows])
    except (TimeLimitError, MemoryLimitError):
        raise
    except CellError as error:
        return Audit("repeats", "fail", f"the second time, it fails: {line(error)}")
    if predictions.dtype != first.predictions.dtype or predictions.tobytes() != first.predictions.tobytes():
        return Audit(
            "repeats", "fail", f"a batch of {len(first.rows)} inputs, run twice, gives other predictions"
        )
    if engine.ledger != first.ledger:
        return Audit("repeats", "fail", f"a batch of {len(first.rows)} inputs, run twice, gives other counts")
    return Audit("repeats", "pass", "a batch, run in two processes: the same bits and the same counts")
