"""Timing: the submission on NumPy, on inputs that are never scored."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.evaluate import audits
from sparsebench.evaluate.metering import run_batches

if TYPE_CHECKING:
    from sparsebench.evaluate.inputs import Inputs
    from sparsebench.evaluate.session import Session
    from sparsebench.meter import Engine
    from sparsebench.results import Audit

__all__ = ["TIMED_ROWS", "time_predictions"]

TIMED_ROWS = 1024
"""Fresh inputs that are drawn for timing."""

_RUNS = 5


def time_predictions(
    session: Session,
    engine: Engine,
    parameters: dict[str, np.ndarray[Any, Any]],
    inputs: Inputs,
    rng: np.random.Generator,
) -> tuple[Audit, float | None]:
    """Time predictions on fresh inputs, and hold them against what the meter predicts for the same inputs.

    Parameters
    ----------
    session
        A process that holds the handles of the parameters.
    engine
        Holds the parameters.
    parameters
        The model.
    inputs
        Fresh ones; no more of them are timed than fit one metered batch.
    rng
        Draws orders: an answer that was kept from an earlier run is no answer.

    Returns
    -------
    tuple
        The audit, and the median of seconds per input; None where the answers differ.

    Raises
    ------
    CellError
        If the submission fails.
    """
    metered = run_batches(session, engine, inputs)
    chosen = inputs[: metered.rows]
    session.arm(parameters)
    orders = [rng.permutation(len(chosen)) for _ in range(_RUNS + 1)]
    runs = [session.run(chosen[order]) for order in orders]
    expected = np.concatenate([metered.predictions[order] for order in orders])
    verdict = audits.timed_as_metered(np.concatenate([timed for timed, _ in runs]), expected)
    if verdict.verdict != "pass":
        return verdict, None
    return verdict, statistics.median(seconds for _, seconds in runs[1:]) / len(chosen)
