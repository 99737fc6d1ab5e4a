"""ragged-tree: an input is followed level by level to its leaf."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from submissions.sizes import Settings, Sizes, columns

if TYPE_CHECKING:
    import numpy as np


def cost_of(settings: Settings, sizes: Sizes, params: dict[str, Any], x: np.ndarray) -> dict[str, int]:
    """Count what an input does: to find a number of an input, and the child on a side, are additions."""
    x, nodes = x.ravel(), len(params["top-features"])
    levels = nodes.bit_length()
    arithmetic, lookups, addresses = levels, 2 * levels, max(levels - 1, 0)
    loaded, node = 2 * levels, 0
    for _ in range(levels):
        node = 2 * node + 1 + int(x[params["top-features"][node]] > params["top-thresholds"][node])
    node, at = node - nodes, 1
    while f"levels-{at}" in params:
        lookups, addresses, loaded = lookups + 1, addresses + 3, loaded + 1  # who stays; masks, and a place
        if not params["inner"][node]:
            break
        for _ in params[f"levels-{at}"]:
            above = x[params["features"][node]] > params["thresholds"][node]
            node = params["left"][node] + int(above)
            arithmetic, lookups, loaded = arithmetic + 3, lookups + 2, loaded + 3
        at += 1
    affine = "slopes" in params
    return columns(
        router=arithmetic,
        router_lookups=lookups,
        router_addresses=addresses,
        experts=2 * sizes.d if affine else 0,
        experts_lookups=1,
        macs=sizes.d if affine else 0,
        stored=sum(array.size for array in params.values()),
        loaded=loaded + (sizes.d + 1 if affine else 1),
    )
