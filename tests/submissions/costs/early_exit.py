"""early-exit: an input is followed through the blocks up to the exit that it leaves by."""

from __future__ import annotations

from math import ceil, log2
from typing import Any

import numpy as np

from submissions.sizes import Settings, Sizes, columns

ROWS = 128
SHARES = (0.8, 0.4)


def cost_of(settings: Settings, sizes: Sizes, params: dict[str, Any], x: np.ndarray) -> dict[str, int]:
    """Count what is run for an input. Blocks that it does not come to run on no rows: that is nothing."""
    share = settings["leave"]
    last = 0 if share == 1 else 2
    gone, seen, counts = (
        False,
        np.zeros(0),
        dict.fromkeys(("experts", "experts_addresses", "experts_lookups", "macs", "loaded"), 0),
    )
    for at in range(last + 1):
        with_exit = at == last or share > 0
        seen, sure, own = run(
            params, at, x.ravel(), seen, sizes.classes, last=at == last, with_exit=with_exit
        )
        for name in counts:
            counts[name] += 0 if gone else own[name]
        if with_exit and at < last:
            gone = gone or sure > params["thresholds"][SHARES.index(share), at]
            counts["experts_lookups"] += 0 if gone else x.size + len(seen) + 1  # carried on, and back
    return columns(stored=sum(array.size for array in params.values()), **counts)


def run(
    params: dict[str, Any],
    at: int,
    x: np.ndarray,
    below: np.ndarray,
    classes: int,
    *,
    last: bool,
    with_exit: bool,
) -> tuple[np.ndarray, float, dict[str, int]]:
    """Run a block and its exit: what it says, how sure the answer is, and what this costs."""
    sums = params[f"input-{at}"] @ x + params[f"offset-{at}"]
    if at:
        sums += params[f"below-{at}"] @ below
    seen, width, inner = np.maximum(sums, 0), len(sums), len(x) + len(below)
    own = {
        "experts": width * (2 * inner + 1),
        "experts_addresses": 0,
        "experts_lookups": 0,
        "macs": width * inner,
        "loaded": width * (inner + 1),
    }
    if not with_exit:
        return seen, 0.0, own
    outputs = seen @ params[f"readout-{at}"] + params[f"intercept-{at}"]
    layers = outputs.size + (not classes and not last)  # of real labels, a second readout expects the error
    own["experts"] += 2 * layers * width + max(classes - 1, 0)
    own["macs"] += layers * width
    own["loaded"] += layers * (width + 1)
    if last:
        return seen, 0.0, own
    own["experts"] += 1  # the comparison with the threshold
    own["loaded"] += 1
    own["experts_addresses"] += 1  # who goes on
    if not classes:
        return seen, seen @ params[f"doubt-{at}"] + params[f"doubt-intercept-{at}"], own
    own["experts"] += ceil(log2(classes)) + 1  # the second largest, and how far it lies behind
    own["experts_addresses"] += 3 if at else 0  # slices of rows some of which have left are moves
    ranked = np.sort(outputs)
    return seen, ranked[-1] - ranked[-2], own
