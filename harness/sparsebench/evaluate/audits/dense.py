"""What running every expert costs: measured, by routing inputs to all experts in turn."""

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
    """What the experts of some inputs cost, in operations per input, the router left out."""

    executed: float
    """With the experts that they were routed to."""
    every: float
    """With every expert that any test input reached."""

    def of(self, ops_experts: float) -> float:
        """Give what every expert costs where those routed to cost ``ops_experts``."""
        return ops_experts * self.every / self.executed if self.executed else self.every


def expert_groups(whole: Pass) -> np.ndarray[Any, Any] | None:
    """Share out all experts that were reached among groups of k.

    Where the k places of a row have experts of their own, without overlap, each is put in its place.

    Parameters
    ----------
    whole
        A pass with a router.

    Returns
    -------
    numpy.ndarray or None
        ``(groups, k)`` int64; some experts stand in it twice if k does not divide them. None if there are
        fewer than k experts.
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
    """Check that the experts that inputs were routed to cost no more than all experts do.

    Each input is run alone, first as it is routed, then once for every group of k experts, with the gates
    that the router gave. The groups hold every expert that any test input reached, so their sum is what
    running every expert costs. If it fails, there is work that no expert accounts for.

    Parameters
    ----------
    model, engine
        What to run.
    few
        A few inputs, m of them.
    whole
        The pass that tells which experts were reached.

    Returns
    -------
    tuple
        The audit, and what was measured; None where nothing was.
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
    except CellError as error:  # experts may be made for the router's routes alone
        return not_run(_NAME, error), None
    dense = Dense(float(executed.mean()), float(costs.mean()) * len(whole.load) / groups.shape[1])
    return Audit(_NAME, *_verdict(dense, costs, groups, len(whole.load))), dense


def _measure(
    model: Model, engine: Engine, few: Inputs, groups: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Price the experts as they are routed ``(m,)``, and each group of them ``(m, groups)``."""
    executed, costs = np.empty(len(few)), np.empty((len(few), len(groups)))
    for row in range(len(few)):
        one = few[row : row + 1]
        run_rows(model, engine, one)
        executed[row] = _price_of_experts(engine)
        costs[row] = _costs(model, engine, one, groups)
    return executed, costs


def _costs(model: Model, engine: Engine, one: Inputs, groups: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Price each group of experts for one input ``(groups,)``.

    Most experts cost the same: the first group and the last are run alone, and all of them as one batch. If
    that comes to as much as so many of the first, it is what each costs. Else each is run alone.
    """
    first, last = (_price(model, engine, one, group[None]) for group in (groups[0], groups[-1]))
    with contextlib.suppress(MemoryLimitError):  # one at a time they may fit
        if first == last and _price(model, engine, one, groups) == len(groups) * first:
            return np.full(len(groups), float(first))
    return np.array([float(_price(model, engine, one, group[None])) for group in groups])


def _price(model: Model, engine: Engine, one: Inputs, chosen: np.ndarray[Any, Any]) -> int:
    """Price the experts for an input that is routed to some groups ``(g, k)``, a row each."""

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
    """Judge: where groups were left out, or experts stand twice, only equal costs make the sum exact."""
    run = f"{costs.shape[1]} of {len(groups)} groups of {groups.shape[1]}"
    detail = f"{dense.executed:g} operations, {dense.every:g} with all {experts} experts ({run} run)"
    if dense.executed <= dense.every * (1 + _SLACK):
        return "pass", detail
    exact = costs.shape[1] * groups.shape[1] == experts or (costs == costs[:, :1]).all()
    return ("fail", detail) if exact else ("not-run", f"{detail}: groups differ too much to scale")
