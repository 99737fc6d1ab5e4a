"""From ledgers to the columns of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter import PROFILES, Ledger, price
from sparsebench.results import Count
from sparsebench.scoring import normalised_mutual_information

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sparsebench.evaluate.passes.metering import Pass, Single

__all__ = ["count_columns", "price_columns", "raw_counts", "single_columns"]


def count_columns(
    whole: Pass,
    single: Single,
    together: Pass,
    constants: Mapping[str, tuple[int, int]],
    parameters: Mapping[str, np.ndarray[Any, Any]],
) -> dict[str, Any]:
    """Make the count columns of a row.

    Parameters
    ----------
    whole
        The test split in batches.
    single, together
        The sampled inputs one by one, and the same inputs, repeated, in batches of the usual size. Where the
        two differ, an input's cost depends on the inputs beside it (work is shared, or a loop waits for the
        slowest row), so on an order that is drawn afresh: the row carries what the inputs cost alone. So it
        does where the whole split was cheaper per input than the sample: a submission may know the split by
        its size.
    constants
        Content hash -> (elements, bytes) of every array that the submission made by itself in predict.
    parameters
        The model.

    Returns
    -------
    dict
        Column -> value, see :class:`sparsebench.results.Row`.
    """
    sampled = len(single.predictions)
    batched = len(together.predictions)
    coupled = _scaled(together.ledger, sampled) != _scaled(single.ledger, batched)
    inputs = len(whole.predictions)
    alone = coupled or price(whole.ledger) * sampled < price(single.ledger) * inputs
    ledger, inputs = (single.ledger, sampled) if alone else (whole.ledger, inputs)
    return {
        **price_columns(ledger, inputs),
        **single_columns(single),
        "ops_batch": price(together.ledger) / batched,
        "ops_counted": "one-by-one" if alone else "batch",
        "stored_parameters": sum(p.size for p in parameters.values()) + sum(n for n, _ in constants.values()),
        "stored_bytes": sum(p.nbytes for p in parameters.values()) + sum(b for _, b in constants.values()),
        "counted_inputs": inputs,
        "counts": raw_counts(ledger),
        **_expert_columns(whole, ledger, inputs),
    }


def single_columns(single: Single) -> dict[str, Any]:
    """Make the columns that the one-by-one pass alone gives: column -> value."""
    per_input, sampled = single.prices["ops"], len(single.predictions)
    return {
        "ops_p50": float(np.quantile(per_input, 0.5)),
        "ops_p95": float(np.quantile(per_input, 0.95)),
        "ops_max": float(per_input.max()),
        "ops_single": price(single.ledger) / sampled,
        "add_mul_cmp_max": float(single.prices["add-mul-cmp"].max()),
        "loaded_parameters": float(single.loaded_parameters.mean()),
        "loaded_bytes": float(single.loaded_bytes.mean()),
        "sample_size": sampled,
    }


def raw_counts(ledger: Ledger) -> tuple[Count, ...]:
    """Turn a ledger into what a row keeps of it."""
    return tuple(Count(*entry) for entry in ledger)


def _scaled(ledger: Ledger, factor: int) -> list[tuple[str, str, str, int]]:
    return [(phase, kind, dtype, amount * factor) for phase, kind, dtype, amount in ledger]


def price_columns(ledger: Ledger, inputs: int) -> dict[str, float]:
    """Price a ledger by every profile, per input: column -> value."""
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
    """Tell which experts ran, and what running all that were ever reached would have cost.

    The latter as the load tells it; where it can be measured (:mod:`sparsebench.evaluate.audits.dense`), that
    counts.
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
        "ops_dense": inside * len(load) / run,
    }
