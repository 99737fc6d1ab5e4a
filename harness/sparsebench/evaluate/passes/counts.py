"""From ledgers to the columns of a row."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter import PROFILES, Ledger, price
from sparsebench.results import Bin, Count, Pair
from sparsebench.scoring import normalised_mutual_information

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparsebench.evaluate.passes.costs import Cost
    from sparsebench.evaluate.passes.passes import Pass, Single

__all__ = ["count_columns", "histogram", "price_columns", "raw_counts", "single_columns"]

_MOST_PAIRS = 1 << 16  # a row must stay a small file


def count_columns(whole: Pass, cost: Cost) -> dict[str, Any]:
    """Make the count columns of a row, without those of `memory_columns`.

    Parameters
    ----------
    whole
        The test split in batches.
    cost
        The cost of its inputs.

    Returns
    -------
    dict
        Column -> value, see :class:`sparsebench.results.Row`.
    """
    return {
        **price_columns(cost.ledger, cost.inputs),
        **single_columns(cost.single),
        "ops_batch": cost.ops_batch,
        "ops_counted": cost.counted,
        "coupled": cost.coupled,
        "counted_inputs": cost.inputs,
        "test_inputs": len(whole.predictions),
        "counts": raw_counts(cost.ledger),
        **_expert_columns(whole, cost.ledger, cost.inputs),
    }


def single_columns(single: Single) -> dict[str, Any]:
    """Make the columns that only the one-by-one pass gives: column -> value."""
    per_input, sampled = single.prices["ops"], len(single)
    return {
        "ops_histogram": histogram(per_input),
        "ops_p50": float(np.quantile(per_input, 0.5)),
        "ops_p95": float(np.quantile(per_input, 0.95)),
        "ops_max": float(per_input.max()),
        "ops_single": price(single.ledger) / sampled,
        "add_mul_cmp_max": float(single.prices["add-mul-cmp"].max()),
        "loaded_parameters": float(single.loaded_parameters.mean()),
        "loaded_bytes": float(single.loaded_bytes.mean()),
        "sample_size": sampled,
    }


def histogram(per_input: np.ndarray[Any, Any]) -> tuple[Bin, ...]:
    """Count inputs by the power of two of their operations, int64 ``(n,)``."""
    often = Counter(max(1, ops).bit_length() - 1 for ops in per_input.tolist())
    return tuple(Bin(*each) for each in sorted(often.items()))


def pairs(joint: Mapping[tuple[int, int], int]) -> tuple[Pair, ...] | None:
    """Turn (expert, domain) -> inputs into the records of a row; None if there are none, or too many."""
    if not 0 < len(joint) <= _MOST_PAIRS:
        return None
    return tuple(Pair(expert, domain, inputs) for (expert, domain), inputs in sorted(joint.items()))


def raw_counts(ledger: Ledger) -> tuple[Count, ...]:
    """Turn a ledger into the records of a row."""
    return tuple(Count(*entry) for entry in ledger)


def price_columns(ledger: Ledger, inputs: int) -> dict[str, float]:
    """Return the price of a ledger by every profile, per input: column -> value."""
    priced = {profile: price(ledger, profile) / inputs for profile in PROFILES}
    ops_router = price((entry for entry in ledger if entry.phase == "router"), "ops") / inputs
    return {
        "ops": priced["ops"],
        "ops_router": ops_router,
        "ops_experts": price((entry for entry in ledger if entry.phase == "experts"), "ops") / inputs,
        "ops_add_mul_cmp": priced["add-mul-cmp"],
        "lookups": ledger.count("lookup") / inputs,
        "loads": ledger.count("load") / inputs,
        "macs": priced["macs"],
        "ops_router_free": priced["paper-router-free"],
        "bit_ops": priced["bit-ops"],
    }


def _expert_columns(whole: Pass, ledger: Ledger, inputs: int) -> dict[str, Any]:
    """Return which experts ran, and the cost of running all that were ever reached.

    The cost is estimated from the load; if it can be measured (:mod:`sparsebench.evaluate.audits.dense`), the
    measurement counts.
    """
    total = price(ledger) / inputs
    if not whole.load:
        return {"experts_run": 1.0, "experts_seen": 1, "expert_entropy": None, "ops_dense": total}
    run = whole.distinct / len(whole.predictions)
    load = np.array([count for _, count in sorted(whole.load.items())])
    share = load / load.sum()
    entropy = float(-(share * np.log(share)).sum() / np.log(len(load))) if len(load) > 1 else None
    inside = price(entry for entry in ledger if entry.phase == "experts") / inputs
    return {
        "experts_run": run,
        "experts_seen": len(load),
        "expert_entropy": None if entropy is None else min(max(entropy, 0.0), 1.0),
        "nmi": normalised_mutual_information(whole.joint) if whole.joint else None,
        "expert_domains": pairs(whole.joint),
        "ops_dense": inside * len(load) / run,
    }
