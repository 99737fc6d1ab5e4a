"""The cost of running every expert, measured by routing inputs to all experts in turn."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.errors import CellError, MemoryLimitError
from sparsebench.evaluate.audits.audits import not_run
from sparsebench.evaluate.audits.meddling import Meddled
from sparsebench.evaluate.passes.metering import run_rows
from sparsebench.meter import price
from sparsebench.results import Audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.evaluate.passes.inputs import Inputs
    from sparsebench.evaluate.passes.passes import Model, Pass
    from sparsebench.meter import Engine, Handle

__all__ = ["MOST_GROUPS", "Dense", "executed_within_dense", "expert_groups"]

MOST_GROUPS = 64
"""Groups of experts that are run: of more, as many are chosen evenly."""

_NAME = "executed-within-dense"
_SLACK = 1e-9


@dataclass(frozen=True)
class Dense:
    """The cost of the experts for some inputs, in operations per input without the router."""

    executed: float
    """With the experts that they were routed to."""
    every: float
    """With every expert that any test input reached."""

    def of(self, ops_experts: float) -> float:
        """Return the cost of every expert, if the routed ones cost ``ops_experts``."""
        return ops_experts * self.every / self.executed if self.executed else self.every


def expert_groups(whole: Pass) -> np.ndarray[Any, Any] | None:
    """Divide all experts that were reached into groups of k.

    If the k places of a row have separate experts, without overlap, each expert is put in its place.

    Parameters
    ----------
    whole
        A pass with a router.

    Returns
    -------
    numpy.ndarray or None
        ``(groups, k)`` int64; some experts are in it twice if k does not divide their number. None if there
        are fewer than k experts.
    """
    assert whole.lowest is not None
    assert whole.highest is not None
    seen, k = np.array(sorted(whole.load)), len(whole.lowest)
    if len(seen) < k:
        return None
    places = np.argsort(whole.lowest)
    if (whole.highest[places[:-1]] < whole.lowest[places[1:]]).all():
        ranges = zip(whole.lowest, whole.highest, strict=True)
        pools = [seen[(low <= seen) & (seen <= high)] for low, high in ranges]
        return np.stack([np.resize(pool, max(map(len, pools))) for pool in pools], axis=1)
    return np.resize(seen, (-(-len(seen) // k), k))


def executed_within_dense(
    model: Model, engine: Engine, few: Inputs, whole: Pass
) -> tuple[Audit, Dense | None]:
    """Check that the experts to which inputs were routed cost no more than all experts.

    Each input is run alone, first as it is routed, then once for every group of k experts, with the router's
    gates. The groups contain every expert that any test input reached, so the cost of every expert is their
    sum. If it fails, there is work that no expert accounts for.

    Parameters
    ----------
    model, engine
        What to run.
    few
        A few inputs, m of them.
    whole
        The pass that shows which experts were reached.

    Returns
    -------
    tuple
        The audit, and the measurement; None if nothing was measured.
    """
    if not model.routed:
        return Audit(_NAME, "not-run", "there is no router"), None
    groups = expert_groups(whole)
    if groups is None:
        return Audit(_NAME, "not-run", "an input has more places for experts than there are"), None
    chosen = groups[
        np.unique(np.linspace(0, len(groups) - 1, min(len(groups), MOST_GROUPS)).astype(np.int64))
    ]
    try:
        executed, costs = _measure(model, engine, few, chosen)
    except CellError as error:  # experts may accept only the router's routes
        return not_run(_NAME, error), None
    dense = Dense(float(executed.mean()), float(costs.mean()) * len(whole.load) / groups.shape[1])
    return Audit(_NAME, *_verdict(dense, costs, groups, len(whole.load))), dense


def _measure(
    model: Model, engine: Engine, few: Inputs, groups: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the price of the experts as routed ``(m,)``, and of each group of them ``(m, groups)``."""
    executed, costs = np.empty(len(few)), np.empty((len(few), len(groups)))
    for row in range(len(few)):
        one = few[row : row + 1]
        run_rows(model, engine, one)
        executed[row] = _price_of_experts(engine)
        costs[row] = _costs(model, engine, one, groups)
    return executed, costs


def _costs(model: Model, engine: Engine, one: Inputs, groups: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the price of each group of experts for one input ``(groups,)``.

    Most experts cost the same: the first group and the last are run alone, and all groups as one batch. If
    the batch costs the first group's price times the number of groups, that is the price of each. Otherwise
    each is run alone.
    """
    first, last = (_price(model, engine, one, group[None]) for group in (groups[0], groups[-1]))
    with contextlib.suppress(MemoryLimitError):  # one by one they may fit
        if first == last and _price(model, engine, one, groups) == len(groups) * first:
            return np.full(len(groups), float(first))
    return np.array([float(_price(model, engine, one, group[None])) for group in groups])


def _price(model: Model, engine: Engine, one: Inputs, chosen: np.ndarray[Any, Any]) -> int:
    """Return the price of the experts for an input that is routed to groups ``(g, k)``, a row for each."""

    @contextlib.contextmanager
    def forced(experts: Handle) -> Iterator[Handle]:
        yield engine.place(chosen.astype(engine.value(experts).dtype)).handle

    run_rows(Meddled(model, forced), engine, one[np.zeros(len(chosen), dtype=np.int64)])
    return _price_of_experts(engine)


def _price_of_experts(engine: Engine) -> int:
    return price(entry for entry in engine.ledger if entry.phase == "experts")


def _verdict(
    dense: Dense, costs: np.ndarray[Any, Any], groups: np.ndarray[Any, Any], experts: int
) -> tuple[str, str]:
    """Return the verdict: if groups were left out or experts occur twice, only equal costs sum up exactly."""
    run = f"{costs.shape[1]} of {len(groups)} groups of {groups.shape[1]}"
    detail = f"{dense.executed:g} operations, {dense.every:g} with all {experts} experts ({run} run)"
    if dense.executed <= dense.every * (1 + _SLACK):
        return "pass", detail
    exact = costs.shape[1] * groups.shape[1] == experts or (costs == costs[:, :1]).all()
    return ("fail", detail) if exact else ("not-run", f"{detail}: groups differ too much to scale")
