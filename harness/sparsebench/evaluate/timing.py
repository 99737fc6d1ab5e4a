"""Timing: the submission on NumPy or on a GPU, on inputs that are never scored."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.evaluate.audits import audits
from sparsebench.evaluate.passes.metering import run_batches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sparsebench.evaluate.host.payloads import Timed
    from sparsebench.evaluate.host.session import Session
    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.passes.passes import Pass
    from sparsebench.meter import Engine
    from sparsebench.results import Audit

__all__ = ["TIMED", "TIMED_ROWS", "Metered", "Timing", "meter_fresh", "time_predictions"]

TIMED = ("timed-as-metered", "timed-as-metered-gpu")
"""Names of the audits of what was timed: on the processor, on a GPU."""

TIMED_ROWS = 1024
"""Fresh inputs that are drawn for timing."""

_RUNS = 5


@dataclass(frozen=True)
class Metered:
    """Fresh inputs, and their predictions under the meter."""

    inputs: Inputs
    """Those that were drawn."""
    batched: Pass
    """What came of them in batches."""

    @property
    def predictions(self) -> np.ndarray[Any, Any]:
        """One per row."""
        return self.batched.predictions


@dataclass(frozen=True)
class Timing:
    """The result of timing on one device."""

    audit: Audit
    """Whether what was timed is what was counted."""
    seconds: float | None = None
    """The median of seconds per input; None where the answers differ, or there are none."""
    backend: str | None = None
    """The backends of primitives that ran, as the submission's process tells; ``none`` if none did."""


def meter_fresh(session: Session, engine: Engine, inputs: Inputs) -> Metered:
    """Let a process with the handles of the parameters predict fresh inputs under the meter.

    Raises
    ------
    CellError
        If the submission fails.
    """
    return Metered(inputs, run_batches(session, engine, inputs))


def time_predictions(
    session: Session,
    parameters: Mapping[str, np.ndarray[Any, Any]],
    metered: Metered,
    rng: np.random.Generator,
    *,
    gpu: bool = False,
) -> Timing:
    """Time predictions on fresh inputs, and compare them with those under the meter for the same inputs.

    Parameters
    ----------
    session
        A process; it may use a GPU, if that is timed.
    parameters
        The model.
    metered
        Fresh inputs and their predictions.
    rng
        Draws orders, so that an answer kept from an earlier run is wrong.
    gpu
        Whether a GPU is timed.

    Raises
    ------
    CellError
        If the submission fails.
    """
    session.arm(parameters)
    chosen = metered.inputs[: metered.batched.rows]  # as many as fit into one metered batch
    orders = [rng.permutation(len(chosen)) for _ in range(_RUNS + 1)]
    runs = [session.run(chosen[order]) for order in orders]
    expected = np.concatenate([metered.predictions[order] for order in orders])
    verdict = audits.timed_as_metered(np.concatenate([run.answer for run in runs]), expected, TIMED[gpu])
    if verdict.verdict != "pass":
        return Timing(verdict)
    timed = runs[1:]  # the first one compiles, allocates and warms up
    backend = "+".join(sorted(frozenset().union(*(run.backends for run in timed)))) or "none"
    seconds = statistics.median(run.seconds for run in timed) / len(chosen)
    return Timing(_with_inside(verdict, timed, len(chosen)), seconds, backend)


def _with_inside(verdict: Audit, timed: Sequence[Timed], rows: int) -> Audit:
    """Add the time by the GPU's own clock. The submission's process reports it, so no column has it."""
    told = [run.inside for run in timed if run.inside is not None]
    if not told:
        return verdict
    inside = f"by its own account {statistics.median(told) / rows:.3g} seconds per input on the GPU"
    return replace(verdict, detail=f"{verdict.detail}; {inside}")
